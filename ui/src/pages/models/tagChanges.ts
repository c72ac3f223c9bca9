// Setting and removing tags of a model, a version or a logged model, with a way back.
import type { KeyValue } from "../../components/Tags";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { useRefreshModels } from "./refresh";

/** The handlers of `Tags`: what they change is read again, and a tag that was removed can be brought back. */
export function useTagChanges(
  tags: KeyValue[],
  set: (key: string, value: string) => Promise<unknown>,
  remove: (key: string) => Promise<unknown>,
) {
  const t = useStrings();
  const refresh = useRefreshModels();
  return {
    onSet: (key: string, value: string) => set(key, value).then(refresh),
    onRemove: async (key: string) => {
      const value = tags.find((tag) => tag.key === key)?.value ?? "";
      await remove(key);
      await refresh();
      showToast(t.models.tagRemoved(key), { undo: () => set(key, value).then(refresh) });
    },
  };
}
