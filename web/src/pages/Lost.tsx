import { Button } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";

/** An address with no page. */
export function Lost() {
  return (
    <div className="page">
      <div className="page-title">
        <h1>There is no such page</h1>
      </div>
      <p style={{ gridColumn: "1 / -1" }}>
        The address leads nowhere: <Link to="/">go to the beginning</Link>.
      </p>
    </div>
  );
}

/** A page that could not be shown: chiefly one whose files a newer version has replaced. */
export function PageFailed({ error }: ErrorComponentProps) {
  return (
    <div className="page" role="alert">
      <div className="page-title">
        <h1>This page could not be shown</h1>
      </div>
      <p style={{ gridColumn: "1 / -1" }}>{error instanceof Error ? error.message : "for a reason nobody gave"}</p>
      <p style={{ gridColumn: "1 / -1" }}>
        <Button variant="default" onClick={() => location.reload()}>
          Load anew
        </Button>
      </p>
    </div>
  );
}
