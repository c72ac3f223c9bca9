import { useState } from "react";
import type { Run } from "../../api/schema";
import { CopyButton } from "../../components/Text";
import { useStrings } from "../../i18n";
import { LongText } from "./LongText";

/** The params of a run, to be searched and copied. */
export function ParamsTable({ run }: { run: Run }) {
  const t = useStrings();
  const [words, setWords] = useState("");
  const params = run.data.params ?? [];
  const wanted = words.trim().toLowerCase();
  const shown = params.filter(({ key, value }) => `${key}\n${value}`.toLowerCase().includes(wanted));
  const json = JSON.stringify(Object.fromEntries(params.map(({ key, value }) => [key, value])), null, 2);
  return (
    <section className="card run-section">
      <header>
        <h2>{t.run.params}</h2>
        <span className="muted">{params.length}</span>
        <span className="spacer" />
        {params.length > 0 && (
          <>
            <input
              type="search"
              className="input"
              placeholder={t.run.searchParams}
              aria-label={t.run.searchParams}
              value={words}
              onChange={(event) => setWords(event.target.value)}
            />
            <CopyButton text={json} what={t.run.copyParams} />
          </>
        )}
      </header>
      {params.length === 0 && <p className="muted">{t.run.noParams}</p>}
      {params.length > 0 && shown.length === 0 && <p className="muted">{t.run.nothingFound}</p>}
      {shown.length > 0 && (
        // A region that scrolls is reached by the keyboard.
        <div className="run-values" tabIndex={0} role="region" aria-label={t.run.params}>
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{t.common.name}</th>
                <th scope="col">{t.common.value}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ key, value }) => (
                <tr key={key}>
                  <td className="run-value">{key}</td>
                  <td>
                    <LongText text={value} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
