import { Link } from "@tanstack/react-router";
import type { Registration } from "../../api/schema";
import { useStrings } from "../../i18n";
import "./Registrations.css";

/** Links to the versions that were made of a logged model. */
export function Registrations({ registrations }: { registrations: Registration[] }) {
  const t = useStrings();
  if (registrations.length === 0) return <span className="muted">{t.models.notRegistered}</span>;
  return (
    <div className="registrations">
      {registrations.map(({ name, version }) => (
        <Link key={`${name}/${version}`} to="/models/$name/versions/$version" params={{ name, version }}>
          {name} {version}
        </Link>
      ))}
    </div>
  );
}
