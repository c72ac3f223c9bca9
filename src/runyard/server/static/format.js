// Numbers, times and sizes as people read them.

/** A metric's value in at most six digits; the words for what JSON cannot hold stay as they are. */
export function number(value) {
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const short = Number(value.toPrecision(6));
  return Math.abs(short) >= 1e9 || (short !== 0 && Math.abs(short) < 1e-4) ? short.toExponential() : String(short);
}

/** How long ago a moment was, such as "3 min ago"; both in milliseconds since the epoch. */
export function since(timestampMs, nowMs) {
  const seconds = Math.round((nowMs - timestampMs) / 1000);
  if (seconds < 0) return "in the future";
  if (seconds < 60) return "just now";
  for (const [unit, length, next] of [
    ["min", 60, 3600],
    ["h", 3600, 86400],
    ["d", 86400, 86400 * 60],
  ]) {
    if (seconds < next) return `${Math.floor(seconds / length)} ${unit} ago`;
  }
  return new Date(timestampMs).toISOString().slice(0, 10);
}

/** How long something took, to two units; "" where it is not over. */
export function duration(startMs, endMs) {
  if (!startMs || !endMs || endMs < startMs) return "";
  const seconds = (endMs - startMs) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A number of bytes, such as "1.4 MiB". */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB"][power]}`;
}
