import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";

/** Strategies written in Python, of packages that are installed here. */
export function Algorithms() {
  const algorithms = useQuery({ queryKey: ["algorithms"], staleTime: 60_000, queryFn: async () => (await answered(api.GET("/api/v1/algorithms"))).algorithms });
  return (
    <Pane title="Python algorithms" facts="Of packages installed beside Alphintra; only those the operator allows run." isFlush>
      <Asked
        query={algorithms}
        what="The algorithms"
        isEmpty={(found) => found.length === 0}
        empty={<Empty>None is installed. A package brings them; how to write one is told in docs/python-strategies.md.</Empty>}
      >
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Algorithm</th>
                <th>What it does</th>
                <th>Package</th>
                <th className="num">Warm-up, bars</th>
                <th>State</th>
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={`${one.package}.${one.algorithm}`}>
                  <td className="mono">{one.algorithm}</td>
                  <td className="wrap">{one.summary}</td>
                  <td className="mono">
                    {one.package} {one.release}
                  </td>
                  <td className="num">{one.warm_up}</td>
                  <td>{one.problem !== "" ? <span className="warn">{one.problem}</span> : one.is_allowed ? "Allowed" : "Not allowed"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
    </Pane>
  );
}
