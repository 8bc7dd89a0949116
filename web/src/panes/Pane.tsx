import { type ReactNode, useEffect, useRef, useState } from "react";
import "./pane.css";

interface PaneProps {
  title: string;
  /** Facts beside the title. */
  facts?: ReactNode;
  /** What can be done here. */
  actions?: ReactNode;
  /** Of twelve columns. */
  columns?: number;
  /** Whether the content goes to the edge, as tables do. */
  isFlush?: boolean;
  children: ReactNode;
}

/** One part of a page, named by its heading. */
export function Pane({ title, facts, actions, columns = 12, isFlush = false, children }: PaneProps) {
  return (
    <section className={`pane pane-${columns}`} aria-label={title}>
      <header className="pane-head">
        <h2>{title}</h2>
        {facts !== undefined && <span className="pane-facts">{facts}</span>}
        {actions !== undefined && <span className="pane-actions">{actions}</span>}
      </header>
      {isFlush ? <Scrolled title={title}>{children}</Scrolled> : <div className="pane-body">{children}</div>}
    </section>
  );
}

/** What may be wider than its pane; where it is, it is reached and scrolled by keyboard too. */
function Scrolled({ title, children }: { title: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [isWider, tell] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = () => tell(element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight);
    const watch = new ResizeObserver(look);
    watch.observe(element);
    for (const child of element.children) watch.observe(child);
    look();
    return () => watch.disconnect();
  });
  const reached = isWider ? { tabIndex: 0, role: "group", "aria-label": `${title}, scrolls` } : {};
  return (
    <div className="pane-body pane-flush" ref={box} {...reached}>
      {children}
    </div>
  );
}
