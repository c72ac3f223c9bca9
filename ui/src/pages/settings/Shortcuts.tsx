import { useStrings } from "../../i18n";

/** What the keyboard can do, as a table. */
export function Shortcuts() {
  const t = useStrings();
  const { keys } = t.settings;
  const shortcuts: [string[], string][] = [
    [["Ctrl", "K"], keys.palette],
    [["?"], keys.help],
    [["/"], keys.filter],
    [["↑", "↓"], keys.move],
    [["Enter"], keys.open],
    [["Space"], keys.select],
    [["Shift", "↑ ↓"], keys.extend],
    [["Ctrl", "A"], keys.all],
    [["←", "→"], keys.openRow],
    [["Esc"], keys.escape],
  ];
  return (
    <table className="plain-table">
      <tbody>
        {shortcuts.map(([names, meaning]) => (
          <tr key={meaning}>
            <td className="nowrap">
              {names.map((name) => (
                <kbd key={name} className="settings-key">
                  {name}
                </kbd>
              ))}
            </td>
            <td>{meaning}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
