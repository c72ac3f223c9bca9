import type { ECharts } from "echarts/core";
import { useEffect, useRef } from "react";
import type { Brush, Interval } from "../../../lib/plots/brush";
import { init } from "./echarts";
import type { PlotOption, RunMark } from "./options/base";

interface PlotCanvasProps {
  option: PlotOption;
  height: number;
  minWidth?: number;
  /** What it shows, for those who do not see it. */
  label: string;
  /** Called with the place of the run whose mark was clicked. */
  onRun: (run: number) => void;
  /** Of parallel coordinates: what is selected on the axes, and what is called when the reader selects. */
  brush?: Brush;
  onBrush?: (column: string, intervals: Interval[]) => void;
}

interface AreaSelected {
  parallelAxisId?: string;
  intervals?: Interval[];
}

/** A plot on a canvas of the width that there is. */
export default function PlotCanvas({ option, height, minWidth, label, onRun, brush, onBrush }: PlotCanvasProps) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(undefined);
  const drawnBrush = useRef<Brush>({});
  const handlers = useRef({ onRun, onBrush });
  useEffect(() => {
    handlers.current = { onRun, onBrush };
  });

  useEffect(() => {
    const drawn = init(element.current, null, { renderer: "canvas" });
    chart.current = drawn;
    drawn.on("click", (event) => {
      const { run } = (event.data ?? {}) as Partial<RunMark>;
      if (typeof run === "number") handlers.current.onRun(run);
    });
    drawn.on("axisareaselected", (event) => {
      const { parallelAxisId, intervals } = event as AreaSelected;
      if (parallelAxisId === undefined) return;
      // It is drawn already: drawing it again would take the range out of the reader's hand.
      drawnBrush.current = { ...drawnBrush.current, [parallelAxisId]: intervals ?? [] };
      handlers.current.onBrush?.(parallelAxisId, intervals ?? []);
    });
    const observer = new ResizeObserver(() => drawn.resize());
    observer.observe(element.current!);
    return () => {
      observer.disconnect();
      drawn.dispose();
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(option, { notMerge: true });
    drawnBrush.current = {};
  }, [option]);

  useEffect(() => {
    for (const column of new Set([...Object.keys(brush ?? {}), ...Object.keys(drawnBrush.current)])) {
      const wanted = brush?.[column] ?? [];
      if (JSON.stringify(wanted) === JSON.stringify(drawnBrush.current[column] ?? [])) continue;
      chart.current?.dispatchAction({ type: "axisAreaSelect", parallelAxisId: column, intervals: wanted });
    }
  }, [brush, option]);

  return <div ref={element} className="plot-canvas" role="img" aria-label={label} style={{ height, minWidth }} />;
}
