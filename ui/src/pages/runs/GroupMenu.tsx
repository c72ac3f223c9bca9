import { Group } from "lucide-react";
import { Menu, MenuItem } from "../../components/Menu";
import { useStrings } from "../../i18n";
import { type AvailableColumns, isGroupable, parseColumn } from "../../lib/runs/columns";
import { useColumnLabel } from "./HeaderCell";

const GROUPABLE_ATTRIBUTES = ["attributes.status", "attributes.user_id", "attributes.experiment_id"];
const MAX_GROUPS = 4;

interface GroupMenuProps {
  available: AvailableColumns | undefined;
  groupBy: string[];
  onChange: (groupBy: string[]) => void;
}

/** By which params, tags and attributes the runs are put together. */
export function GroupMenu({ available, groupBy, onChange }: GroupMenuProps) {
  const t = useStrings();
  const params = (available?.params ?? []).map((key) => `params.${key}`);
  const tags = (available?.tags ?? []).filter((key) => !key.startsWith("mlflow.")).map((key) => `tags.${key}`);
  const groups = [GROUPABLE_ATTRIBUTES, params, tags].filter((names) => names.length > 0);
  const keys = groupBy.map((name) => parseColumn(name)?.key ?? name).join(", ");
  return (
    <Menu
      align="end"
      button={
        <>
          <Group size={14} aria-hidden /> {groupBy.length > 0 ? t.runs.groupedBy(keys) : t.runs.groupBy}
        </>
      }
    >
      {groupBy.length > 0 && (
        <>
          <MenuItem onSelect={() => onChange([])}>{t.runs.ungroup}</MenuItem>
          <hr />
        </>
      )}
      {groups.map((names, at) => (
        <div key={names[0]}>
          {at > 0 && <hr />}
          {names.map((name) => (
            <GroupItem
              key={name}
              name={name}
              isOn={groupBy.includes(name)}
              onToggle={() =>
                onChange(
                  groupBy.includes(name)
                    ? groupBy.filter((other) => other !== name)
                    : [...groupBy, name].slice(-MAX_GROUPS),
                )
              }
            />
          ))}
        </div>
      ))}
    </Menu>
  );
}

function GroupItem({ name, isOn, onToggle }: { name: string; isOn: boolean; onToggle: () => void }) {
  const column = parseColumn(name);
  const label = useColumnLabel(column ?? { name, kind: "params", key: name });
  if (column === undefined || !isGroupable(column)) return null;
  return (
    <MenuItem checked={isOn} onSelect={onToggle}>
      {label}
    </MenuItem>
  );
}
