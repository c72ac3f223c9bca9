// A value outside React that components can watch.
import { useSyncExternalStore } from "react";

export interface External<T> {
  get(): T;
  set(value: T): void;
  use(): T;
  /** Call `watcher` after each change; gives what ends that. */
  watch(watcher: () => void): () => void;
}

export function external<T>(initial: T, onChange?: (value: T) => void): External<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  const get = () => value;
  const subscribe = (watcher: () => void) => {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  };
  return {
    get,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      onChange?.(next);
      for (const watcher of watchers) watcher();
    },
    use: () => useSyncExternalStore(subscribe, get, get),
    watch: subscribe,
  };
}
