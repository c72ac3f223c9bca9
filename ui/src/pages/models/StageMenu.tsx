import { ChevronDown } from "lucide-react";
import { useState } from "react";
import type { ModelVersion } from "../../api/schema";
import { Menu, MenuItem } from "../../components/Menu";
import { useStrings } from "../../i18n";
import { type Stage, STAGES, stageOf } from "../../lib/models/stages";
import { TransitionDialog } from "./TransitionDialog";
import "./StageMenu.css";

/** A version's stage, and a menu that moves it to another. */
export function StageMenu({ version }: { version: ModelVersion }) {
  const t = useStrings();
  const [target, setTarget] = useState<Stage>();
  const stage = stageOf(version.current_stage);
  return (
    <>
      <Menu
        label={t.models.changeStage(version.version, t.models.stageNames[stage])}
        buttonClass={`stage ${stage.toLowerCase()}`}
        button={
          <>
            {t.models.stageNames[stage]}
            <ChevronDown size={12} aria-hidden />
          </>
        }
      >
        {STAGES.filter((other) => other !== stage).map((other) => (
          <MenuItem key={other} onSelect={() => setTarget(other)}>
            {t.models.moveTo(t.models.stageNames[other])}
          </MenuItem>
        ))}
      </Menu>
      {target && <TransitionDialog version={version} target={target} onClose={() => setTarget(undefined)} />}
    </>
  );
}

/** A stage that is only told. */
export function StageChip({ stage, children }: { stage: string; children?: React.ReactNode }) {
  const t = useStrings();
  const known = stageOf(stage);
  return (
    <span className={`stage ${known.toLowerCase()}`}>
      {t.models.stageNames[known]}
      {children}
    </span>
  );
}
