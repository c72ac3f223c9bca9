import { useId, useRef, useState } from "react";
import { useStrings } from "../../i18n";
import { formatTime } from "../../lib/format";
import { preferences, setPreference } from "../../lib/preferences";
import { knownTimeZone, timeZones } from "../../lib/timeZones";

// Of a time as it is shown: without its seconds, which do not go on here.
const MINUTES_END = 16;

/** In which time zone times are shown: the browser's, UTC, or any other by its name. */
export function TimeZoneChoice() {
  const t = useStrings();
  const id = useId();
  const { timeZone } = preferences.use();
  const isOther = timeZone !== "local" && timeZone !== "UTC";
  const field = useRef<HTMLInputElement>(null);
  const [isSearching, setSearching] = useState(isOther);
  const [text, setText] = useState(isOther ? timeZone : "");
  const [now] = useState(() => Date.now());
  const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isUnknown = text.trim() !== "" && knownTimeZone(text) === undefined;
  function choose(zone: string) {
    setSearching(false);
    setText("");
    setPreference("timeZone", zone);
  }
  function search(words: string) {
    setText(words);
    const zone = knownTimeZone(words);
    if (zone !== undefined) setPreference("timeZone", zone);
  }
  return (
    <fieldset className="settings-choice settings-zones">
      <legend>{t.settings.timeZone}</legend>
      <label className="checkbox">
        <input type="radio" name={id} checked={timeZone === "local" && !isSearching} onChange={() => choose("local")} />
        {t.settings.localZone(ownZone)}
      </label>
      <label className="checkbox">
        <input type="radio" name={id} checked={timeZone === "UTC" && !isSearching} onChange={() => choose("UTC")} />
        UTC
      </label>
      <label className="checkbox">
        <input
          type="radio"
          name={id}
          checked={isSearching}
          onChange={() => {
            setSearching(true);
            field.current?.focus();
          }}
        />
        {t.settings.otherZone}
      </label>
      <input
        ref={field}
        type="search"
        className="input"
        aria-label={t.settings.otherZoneName}
        aria-invalid={isUnknown}
        aria-describedby={`${id}-help`}
        placeholder={t.settings.searchZone}
        list={`${id}-zones`}
        spellCheck={false}
        value={text}
        onFocus={() => setSearching(true)}
        onChange={(event) => search(event.target.value)}
        onBlur={() => text.trim() === "" && !isOther && setSearching(false)}
      />
      <datalist id={`${id}-zones`}>
        {timeZones().map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <span id={`${id}-help`} role="status" className="settings-zone-help">
        {isUnknown && <span className="settings-bad">{t.settings.noZone}</span>}
        {!isUnknown && (
          <span className="muted">{t.settings.nowThere(formatTime(now, timeZone).slice(0, MINUTES_END))}</span>
        )}
      </span>
    </fieldset>
  );
}
