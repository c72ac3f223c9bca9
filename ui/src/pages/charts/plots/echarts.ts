// The parts of ECharts that plots are drawn with; loaded when the first plot is shown.
import { BarChart, BoxplotChart, CustomChart, ParallelChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  ParallelComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { init, use as register } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";
import type { PlotOption } from "./options/base";

register([
  BarChart,
  BoxplotChart,
  CustomChart,
  ParallelChart,
  ScatterChart,
  GridComponent,
  ParallelComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
  CanvasRenderer,
  SVGRenderer,
]);

export { init };

/** The plot as the text of an SVG image. */
export function svgOf(option: PlotOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ ...option, animation: false });
    // The styles are for what is beneath the pointer, which an image has none of.
    return chart.renderToSVGString().replace(/<style[\s\S]*?<\/style>/, "");
  } finally {
    chart.dispose();
  }
}
