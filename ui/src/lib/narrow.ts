// Whether the window is as narrow as a phone.
import { useSyncExternalStore } from "react";

const query = matchMedia("(max-width: 40rem)");

export function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (watcher) => {
      query.addEventListener("change", watcher);
      return () => query.removeEventListener("change", watcher);
    },
    () => query.matches,
  );
}
