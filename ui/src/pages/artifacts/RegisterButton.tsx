import { Package } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/Button";
import { useStrings } from "../../i18n";
import { RegisterModelDialog } from "../models/RegisterModelDialog";

/** Registers the model in a folder of a run's artifacts. */
export function RegisterButton({ runId, path }: { runId: string; path: string }) {
  const t = useStrings();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Package size={14} aria-hidden /> {t.artifacts.register}
      </Button>
      {isOpen && <RegisterModelDialog source={{ kind: "run", runId, path }} onClose={() => setOpen(false)} />}
    </>
  );
}
