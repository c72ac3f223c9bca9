import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, RotateCw } from "lucide-react";
import { useId } from "react";
import { serverUrl } from "../../api/client";
import { Button } from "../../components/Button";
import { PageHeader } from "../../components/PageHeader";
import { Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { type Language, preferences, setPreference, type Theme } from "../../lib/preferences";
import { Shortcuts } from "./Shortcuts";
import { TimeZoneChoice } from "./TimeZoneChoice";
import "./SettingsPage.css";

const THEMES: Theme[] = ["system", "light", "dark"];
// Each language by its own name.
const LANGUAGES: Record<Language, string> = { en: "English", es: "Español" };
const HEALTH_INTERVAL_MS = 30_000;

interface Readiness {
  ready: boolean;
  database: string;
  artifact_store?: string;
}

/** How the UI looks in this browser, and how the server is. */
export default function SettingsPage() {
  const t = useStrings();
  const id = useId();
  const { theme, language } = preferences.use();
  return (
    <>
      <PageHeader title={t.settings.title} />
      <div className="page settings">
        <section className="card settings-card">
          <h2>{t.settings.appearance}</h2>
          <fieldset className="settings-choice">
            <legend>{t.settings.theme}</legend>
            {THEMES.map((name) => (
              <label key={name} className="checkbox">
                <input
                  type="radio"
                  name={`${id}-theme`}
                  checked={theme === name}
                  onChange={() => setPreference("theme", name)}
                />
                {t.settings.themes[name]}
              </label>
            ))}
          </fieldset>
          <div className="field">
            <label htmlFor={`${id}-language`}>{t.settings.language}</label>
            <select
              id={`${id}-language`}
              className="input"
              value={language}
              onChange={(event) => setPreference("language", event.target.value as Language)}
            >
              {Object.entries(LANGUAGES).map(([code, name]) => (
                <option key={code} value={code} lang={code}>
                  {name}
                </option>
              ))}
            </select>
          </div>
          <TimeZoneChoice />
          <p className="muted">{t.settings.keptHere}</p>
        </section>
        <About />
        <section className="card settings-card">
          <h2>{t.settings.shortcuts}</h2>
          <Shortcuts />
        </section>
      </div>
    </>
  );
}

function About() {
  const t = useStrings();
  const protocol = useQuery({
    queryKey: ["protocol-version"],
    queryFn: async ({ signal }) => (await fetch(serverUrl("version"), { signal })).text(),
  });
  const version = useQuery({
    queryKey: ["server-version"],
    queryFn: async ({ signal }) => {
      const document = (await (await fetch(serverUrl("openapi.json"), { signal })).json()) as {
        info: { version: string };
      };
      return document.info.version;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  const health = useQuery({
    queryKey: ["health"],
    // A server that is not ready says so with a status that is an error, and with the same fields.
    queryFn: async ({ signal }) => (await (await fetch(serverUrl("readyz"), { signal })).json()) as Readiness,
    refetchInterval: HEALTH_INTERVAL_MS,
  });
  return (
    <section className="card settings-card">
      <h2>{t.settings.about}</h2>
      <dl className="settings-facts">
        <dt>{t.settings.version}</dt>
        <dd>Runyard {version.data}</dd>
        <dt>{t.settings.protocol}</dt>
        <dd>{protocol.data}</dd>
        {health.data && (
          <>
            <dt>{t.settings.database}</dt>
            <dd>
              <Health result={health.data.database} />
            </dd>
            <dt>{t.settings.artifactStore}</dt>
            <dd>
              {health.data.artifact_store === undefined ? (
                <span className="muted">{t.settings.notServed}</span>
              ) : (
                <Health result={health.data.artifact_store} />
              )}
            </dd>
          </>
        )}
        <dt>{t.settings.api}</dt>
        <dd>
          <a href={serverUrl("docs")}>{t.settings.apiPage}</a>
          <a href={serverUrl("openapi.json")}>{t.settings.openapi}</a>
        </dd>
      </dl>
      {health.isPending && <Loading lines={2} />}
      {health.error && <Problem error={health.error} />}
      <div>
        <Button onClick={() => void health.refetch()}>
          <RotateCw size={14} aria-hidden /> {t.settings.checkAgain}
        </Button>
      </div>
    </section>
  );
}

function Health({ result }: { result: string }) {
  const t = useStrings();
  return result === "ok" ? (
    <span className="settings-good">
      <CircleCheck size={14} aria-hidden /> {t.settings.ok}
    </span>
  ) : (
    <span className="settings-bad">
      <CircleX size={14} aria-hidden /> {result}
    </span>
  );
}
