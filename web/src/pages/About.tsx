import { useHealth } from "../api/health";
import { decimal, NOT_APPLICABLE } from "../format/numbers";
import { Pane } from "../panes/Pane";
import { Asked } from "../panes/states";

const NOTICES: readonly [string, string, string][] = [
  ["Inter", "SIL Open Font License 1.1", "The Inter Project Authors"],
  ["Lightweight Charts\u2122", "Apache License 2.0", "2025 TradingView, Inc."],
  ["Lucide", "ISC", "Lucide contributors"],
  ["Mantine", "MIT", "Vitaly Rtishchev"],
  ["React", "MIT", "Meta Platforms, Inc. and affiliates"],
  ["TanStack Query, Router", "MIT", "Tanner Linsley"],
  ["openapi-fetch", "MIT", "Drew Powers"],
];

/** What runs here, and what it is made of. */
export default function About() {
  const health = useHealth();
  return (
    <div className="page">
      <div className="page-title">
        <h1>About</h1>
      </div>
      <Pane title="Services" isFlush facts={health.data && `Alphintra ${health.data.version}`}>
        <Asked query={health} what="The health of the services" height={260}>
          {({ services }) => (
            <table className="table">
              <thead>
                <tr>
                  <th>Service</th>
                  <th>State</th>
                  <th>Database</th>
                  <th>Role</th>
                  <th className="num">Migrations</th>
                  <th className="num">Events waiting</th>
                  <th className="num">Answer, ms</th>
                </tr>
              </thead>
              <tbody>
                {services.map((one) => (
                  <tr key={one.service}>
                    <td>{one.service}</td>
                    <td>
                      {one.status === "ok" ? "Well" : <span className="danger">Down ({one.code})</span>}
                    </td>
                    <td className="mono">{one.database ?? NOT_APPLICABLE}</td>
                    <td className="mono">{one.role ?? NOT_APPLICABLE}</td>
                    <td className="num">{one.migrations ?? NOT_APPLICABLE}</td>
                    <td className="num">{one.events_waiting ?? NOT_APPLICABLE}</td>
                    <td className="num">{decimal(one.latency_ms?.toFixed(1), { digits: 1 })}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Asked>
      </Pane>
      <Pane title="Licences">
        <div className="prose">
          <p>
            Alphintra is free software under the Apache License 2.0. Its <a href="/api/docs">API</a> is{" "}
            <a href="/api/openapi.json">described</a>. Its charts are drawn by Lightweight Charts™ of{" "}
            <a href="https://www.tradingview.com" rel="noreferrer">
              TradingView
            </a>
            . This interface is made with:
          </p>
          <dl className="facts">
            {NOTICES.map(([name, licence, holder]) => (
              <div key={name} style={{ display: "contents" }}>
                <dt>{name}</dt>
                <dd>
                  {licence}, © {holder}
                </dd>
              </div>
            ))}
          </dl>
        </div>
      </Pane>
    </div>
  );
}
