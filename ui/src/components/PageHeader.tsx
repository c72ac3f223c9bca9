import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode, useEffect } from "react";
import { useStrings } from "../i18n";
import "./PageHeader.css";

export interface Crumb {
  label: string;
  /** The address in the UI: `/experiments/1`. */
  to: string;
}

interface PageHeaderProps {
  title: string;
  crumbs?: Crumb[];
  /** Beside the title: a status, a chip. */
  beside?: ReactNode;
  actions?: ReactNode;
}

/** The top of a page: where it is, what it is, what can be done. Names the browser's tab too. */
export function PageHeader({ title, crumbs = [], beside, actions }: PageHeaderProps) {
  const t = useStrings();
  useEffect(() => {
    document.title = `${title} · Runyard`;
  }, [title]);
  return (
    <header className="page-header">
      {crumbs.length > 0 && (
        <nav aria-label={t.common.breadcrumbs} className="crumbs">
          {crumbs.map(({ label, to }) => (
            <Fragment key={to}>
              <Link to={to}>{label}</Link>
              <span aria-hidden>/</span>
            </Fragment>
          ))}
        </nav>
      )}
      <div className="row wrap">
        <h1 className="truncate" title={title}>
          {title}
        </h1>
        {beside}
        <span className="spacer" />
        {actions && <div className="row wrap">{actions}</div>}
      </div>
    </header>
  );
}
