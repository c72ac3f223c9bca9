import { Dialog } from "../../../components/Dialog";
import { useStrings } from "../../../i18n";
import { textIn } from "../../../lib/plots/values";
import { nameOf, type PlotData } from "./options/base";

interface DataDialogProps {
  title: string;
  data: PlotData;
  columns: string[];
  onClose: () => void;
}

/** The numbers behind a plot, for those who want to read them. */
export function DataDialog({ title, data, columns, onClose }: DataDialogProps) {
  const t = useStrings();
  return (
    <Dialog title={t.plots.dataOf(title)} wide onClose={onClose}>
      <div className="table-scroll" tabIndex={0} role="group" aria-label={t.plots.dataOf(title)}>
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.plots.attributes.run_name}</th>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {nameOf(column, t)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.runs.map((run, row) => (
              <tr key={run.runId}>
                <th scope="row">{run.name}</th>
                {columns.map((column) => (
                  <td key={column} className="mono">
                    {textIn(data.columns[column]?.[row]) ?? "–"}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}
