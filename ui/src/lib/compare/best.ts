// Which value of a metric is the best of several, and how far a value is from another.
import { formatNumber } from "../format";

/** Whether the lowest or the highest is best, or nobody knows. */
export type Goal = "min" | "max" | "none";

const LOWER =
  /(^|[^a-z])(loss|error|err|mse|rmse|mae|mape|smape|perplexity|ppl|wer|cer|fid|nll|bpb|bpc|latency|regret|eer|brier|divergence|time|duration|seconds|ms)([^a-z]|$)/;
const HIGHER =
  /(^|[^a-z])(acc|accuracy|auc|auroc|auprc|f1|precision|recall|score|r2|map|ndcg|mrr|bleu|rouge|iou|dice|psnr|ssim|reward|return|specificity|sensitivity|mcc|kappa|throughput|top\d+|hits)([^a-z]|$)/;

/** What the name of a metric says: losses and errors are to be low, accuracies and scores high. */
export function goalOf(metric: string): Goal {
  const words = metric.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
  // The last part says what is measured: a "loss/accuracy" is an accuracy.
  const last = words.slice(words.search(/[^/]*$/));
  for (const name of [last, words]) {
    if (LOWER.test(name)) return "min";
    if (HIGHER.test(name)) return "max";
  }
  return "none";
}

/** The places of the best values; none where all are equal, or fewer than two are numbers. */
export function bestColumns(values: readonly (number | undefined)[], goal: Goal): number[] {
  const present = values.filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
  if (goal === "none" || new Set(present).size < 2) return [];
  const best = goal === "min" ? Math.min(...present) : Math.max(...present);
  return values.flatMap((value, place) => (value === best ? [place] : []));
}

/** How far a value is above its baseline (+) or below it (−), with the share of the baseline: "+0.02 (+4 %)". */
export function deltaText(
  value: number | undefined,
  baseline: number | undefined,
  format = (size: number) => formatNumber(size, 4),
): string | undefined {
  if (value === undefined || baseline === undefined) return undefined;
  const difference = value - baseline;
  if (!Number.isFinite(difference)) return undefined;
  if (difference === 0) return "±0";
  const sign = difference < 0 ? "−" : "+";
  const percent = Math.abs((difference / baseline) * 100);
  const share = baseline === 0 ? "" : ` (${sign}${formatNumber(percent, 3)} %)`;
  return `${sign}${format(Math.abs(difference))}${share}`;
}
