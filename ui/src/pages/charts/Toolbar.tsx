import { SlidersHorizontal } from "lucide-react";
import { Menu, MenuItem } from "../../components/Menu";
import { useStrings } from "../../i18n";
import type { XAxis } from "../../lib/charts/series";
import { SearchBox } from "../../components/SearchBox";
import type { ChartsLayout } from "./layout";

const AXES: XAxis[] = ["step", "relative", "wall"];
const GROUP_DRAWINGS = ["range", "deviation", "off"] as const;
const MAX_SMOOTHING = 0.99;

interface ToolbarProps {
  layout: ChartsLayout;
  /** Whether the runs are grouped. */
  hasGroups: boolean;
  onChange: (layout: ChartsLayout) => void;
}

/** What holds for all charts: which are shown, their x, smoothing, scales and size. */
export function Toolbar({ layout, hasGroups, onChange }: ToolbarProps) {
  const t = useStrings();
  const set = (patch: Partial<ChartsLayout>) => onChange({ ...layout, ...patch });
  const smoothing = layout.smoothing ?? 0;
  return (
    <div className="charts-toolbar">
      <SearchBox
        query={layout.search ?? ""}
        label={t.charts.search}
        placeholder={`${t.charts.search}: ${t.charts.searchHelp}`}
        hasFailed={false}
        onChange={(search) => set({ search: search || undefined })}
      />
      <label className="row">
        <span className="muted nowrap">{t.charts.x}</span>
        <select
          className="input"
          value={layout.x ?? "step"}
          onChange={(event) => {
            const x = event.target.value as XAxis;
            set({ x: x === "step" ? undefined : x });
          }}
        >
          {AXES.map((axis) => (
            <option key={axis} value={axis}>
              {t.charts.axes[axis]}
            </option>
          ))}
        </select>
      </label>
      {hasGroups && (
        <label className="row">
          <span className="muted nowrap">{t.charts.groups}</span>
          <select
            className="input"
            value={layout.groups ?? "range"}
            onChange={(event) => {
              const groups = GROUP_DRAWINGS.find((drawing) => drawing === event.target.value);
              set({ groups: groups === "range" ? undefined : groups });
            }}
          >
            {GROUP_DRAWINGS.map((drawing) => (
              <option key={drawing} value={drawing}>
                {t.charts.groupDrawings[drawing]}
              </option>
            ))}
          </select>
        </label>
      )}
      <label className="row">
        <span className="muted nowrap">{t.charts.smoothing}</span>
        <input
          type="range"
          min={0}
          max={MAX_SMOOTHING}
          step={0.01}
          value={smoothing}
          onChange={(event) => set({ smoothing: Number(event.target.value) || undefined })}
        />
        <span className="charts-smoothing">{smoothing.toFixed(2)}</span>
      </label>
      <Menu
        align="end"
        button={
          <>
            <SlidersHorizontal size={14} aria-hidden /> {t.charts.options}
          </>
        }
      >
        <MenuItem checked={layout.logX ?? false} onSelect={() => set({ logX: layout.logX ? undefined : true })}>
          {t.charts.logX}
        </MenuItem>
        <MenuItem checked={layout.logY ?? false} onSelect={() => set({ logY: layout.logY ? undefined : true })}>
          {t.charts.logY}
        </MenuItem>
        <MenuItem
          checked={layout.outliers ?? false}
          onSelect={() => set({ outliers: layout.outliers ? undefined : true })}
        >
          {t.charts.outliers}
        </MenuItem>
        <hr />
        {(["small", "medium", "large"] as const).map((size) => (
          <MenuItem
            key={size}
            checked={(layout.size ?? "medium") === size}
            onSelect={() => set({ size: size === "medium" ? undefined : size })}
          >
            {t.charts.size}: {t.charts.sizes[size]}
          </MenuItem>
        ))}
        <hr />
        <MenuItem onSelect={() => onChange({ version: 1, plots: layout.plots })}>{t.charts.resetLayout}</MenuItem>
      </Menu>
    </div>
  );
}
