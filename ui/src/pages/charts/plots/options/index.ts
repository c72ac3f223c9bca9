// From a plot and the values of its runs to what ECharts draws.
import type { Plot } from "../../../../lib/plots/plot";
import { barDrawing } from "./bar";
import type { Drawing, PlotContext } from "./base";
import { boxDrawing } from "./box";
import { contourDrawing } from "./contour";
import { importanceDrawing } from "./importance";
import { parallelDrawing } from "./parallel";
import { scatterDrawing } from "./scatter";

export function drawingOf(plot: Plot, context: PlotContext): Drawing {
  switch (plot.kind) {
    case "bar":
      return barDrawing(plot, context);
    case "scatter":
      return scatterDrawing(plot, context);
    case "contour":
      return contourDrawing(plot, context);
    case "box":
      return boxDrawing(plot, context);
    case "parallel":
      return parallelDrawing(plot, context);
    case "importance":
      return importanceDrawing(plot, context);
  }
}
