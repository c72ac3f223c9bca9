import { highlight } from "../../lib/filter/highlight";

interface FilterTextProps {
  text: string;
  /** What is marked; at the end of the text there is nothing to underline, and its place is shown. */
  wrong?: { from: number; to: number };
}

/** The filter in colours, drawn beneath the text box, which breaks its lines at the same places. */
export function FilterText({ text, wrong }: FilterTextProps) {
  return (
    <>
      {highlight(text, wrong).map((piece, index) => (
        <span key={index} className={`filter-piece-${piece.kind} ${piece.isWrong ? "filter-piece-wrong" : ""}`}>
          {piece.text}
        </span>
      ))}
      {wrong && wrong.from >= text.length && <span className="filter-piece-end" />}
      {/* An empty line has no height of its own. */}
      {"\u200b"}
    </>
  );
}
