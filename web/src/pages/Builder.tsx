import { getRouteApi } from "@tanstack/react-router";
import { useCatalogue, useOpened } from "../builder/asking";
import { Workbench } from "../builder/Workbench";
import { Asked } from "../panes/states";

const route = getRouteApi("/inside/strategies/$id");

/** A strategy, drawn. */
export default function Builder() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const catalogue = useCatalogue();
  const opened = useOpened(id);
  return (
    <Asked query={catalogue} what="The nodes" height={400}>
      {(nodes) => (
        <Asked query={opened} what="The strategy" height={400}>
          {(found) => (
            <Workbench
              key={id}
              opened={found}
              catalogue={nodes}
              search={search}
              onSearch={(next) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true })}
            />
          )}
        </Asked>
      )}
    </Asked>
  );
}
