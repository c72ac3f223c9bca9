// Time zones by their IANA names.

/** The zones to choose from. */
export function timeZones(): string[] {
  return Intl.supportedValuesOf("timeZone");
}

/** The name of a zone as it is written, of one that the browser knows in any case and by its former names too. */
export function knownTimeZone(name: string): string | undefined {
  const wanted = name.trim().replaceAll(" ", "_");
  if (wanted === "") return undefined;
  const listed = timeZones().find((zone) => zone.toLowerCase() === wanted.toLowerCase());
  // Offsets such as +02:00 are understood, but have no summer time: nobody lives in one.
  if (listed !== undefined || /^[+-]/.test(wanted)) return listed;
  try {
    new Intl.DateTimeFormat("en", { timeZone: wanted });
    return wanted;
  } catch {
    return undefined;
  }
}
