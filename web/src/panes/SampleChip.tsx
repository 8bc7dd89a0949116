import "./pane.css";

/** Marks what came with the installation and is nobody's own: generated or replayed prices, never a live market. */
export function SampleChip() {
  return (
    <span className="chip" title="Brought by `alphintra up --sample`: stored like your own, and removed with one button on the Overview">
      Sample
    </span>
  );
}
