import { useQueryClient } from "@tanstack/react-query";
import { useOffline } from "../api/reach";

/** Says over every page that nothing new comes and nothing can be sent. */
export function OfflineBar() {
  const reason = useOffline();
  const queries = useQueryClient();
  return (
    <div role="status" className={reason === "" ? "hidden" : "shell-offline"}>
      {reason !== "" && (
        <>
          {reason}: figures are as old as they say, and nothing can be sent. Trading on the server goes on.
          <button type="button" className="link" onClick={() => void queries.invalidateQueries()}>
            Try again
          </button>
        </>
      )}
    </div>
  );
}
