// Numbers, times and sizes as people read them. Times are milliseconds since the epoch.

/** A number that JSON cannot hold comes as the word for it. */
export type WireNumber = number | string;

/** The number that was meant by a wire number: "NaN", "Infinity" and "-Infinity" too. */
export function toNumber(value: WireNumber): number {
  return typeof value === "number" ? value : Number(value);
}

/** A metric's value in at most `digits` digits. */
export function formatNumber(value: WireNumber | null | undefined, digits = 6): string {
  if (value === null || value === undefined) return "";
  const number = toNumber(value);
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  if (Number.isInteger(number) && Math.abs(number) < 1e9) return String(number);
  const short = Number(number.toPrecision(digits));
  const isFar = Math.abs(short) >= 1e9 || (short !== 0 && Math.abs(short) < 1e-4);
  return isFar ? short.toExponential() : String(short);
}

/** How long something took, to two units: "1.5 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A number of bytes: "900 B", "1.4 MiB". */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86400],
  ["month", 30 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

// Making a format takes longer than using it a hundred times, and tables use them for every row.
const sinceFormats = new Map<string, Intl.RelativeTimeFormat>();
const timeFormats = new Map<string, Intl.DateTimeFormat>();

/** How long ago a moment was, in the reader's language: "3 minutes ago", "hace 3 minutos". */
export function formatSince(timeMs: number, nowMs: number, language: string): string {
  const seconds = Math.round((nowMs - timeMs) / 1000);
  const format = kept(sinceFormats, language, () => new Intl.RelativeTimeFormat(language, { numeric: "auto" }));
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return format.format(-Math.trunc(seconds / length), unit);
  }
  return format.format(0, "second");
}

/** A moment as date and time of a time zone ("local" is the browser's): "2026-11-23 14:05:09". */
export function formatTime(timeMs: number, timeZone: string): string {
  const format = kept(timeFormats, timeZone, () => timeFormat(timeZone));
  const parts = format.formatToParts(timeMs);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("year")}-${of("month")}-${of("day")} ${of("hour")}:${of("minute")}:${of("second")}`;
}

function timeFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-CA", {
    timeZone: timeZone === "local" ? undefined : timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

function kept<T>(formats: Map<string, T>, key: string, make: () => T): T {
  const found = formats.get(key) ?? make();
  formats.set(key, found);
  return found;
}
