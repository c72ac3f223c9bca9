// The addresses of the UI, behind the page's #: any server and any proxy can serve them, and clients print them.
import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
  redirect,
  useLocation,
  useRouter,
} from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError } from "../api/client";
import { experimentQuery } from "../api/experiments";
import { runColumnsQuery } from "../api/runs";
import { Button } from "../components/Button";
import { Empty, Loading, Problem } from "../components/Problem";
import { useStrings } from "../i18n";
import { ownAddress } from "../lib/upstreamAddresses";
import { readCompareSearch } from "../pages/compare/search";
import ExperimentsPage from "../pages/experiments/ExperimentsPage";
import { readExperimentsSearch } from "../pages/experiments/search";
import { readCompareVersionsSearch, readModelFilesSearch, readModelsSearch } from "../pages/models/search";
import { readRunSearch } from "../pages/run/search";
import RunsPage from "../pages/runs/RunsPage";
import { readRunsSearch } from "../pages/runs/search";
import { queries } from "./queries";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/experiments", replace: true });
  },
});

const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  validateSearch: readExperimentsSearch,
  component: ExperimentsPage,
});

/** The runs of one experiment, or of several: `/experiments/1,2`. Its search parameters are the view. */
const runs = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$experimentIds",
  validateSearch: readRunsSearch,
  // Asked for while the page is put together, and when a link to it is pointed at.
  loader: ({ params }) => {
    const experimentIds = params.experimentIds.split(",");
    for (const experimentId of experimentIds) void queries.prefetchQuery(experimentQuery(experimentId));
    void queries.prefetchQuery(runColumnsQuery(experimentIds));
  },
  component: RunsPage,
});

const run = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$experimentId/runs/$runId",
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import("../pages/run/RunPage")),
});

const loggedModel = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$experimentId/models/$modelId",
  validateSearch: readModelFilesSearch,
  component: lazyRouteComponent(() => import("../pages/models/LoggedModelPage")),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare-runs",
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import("../pages/compare/ComparePage")),
});

const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  validateSearch: readModelsSearch,
  component: lazyRouteComponent(() => import("../pages/models/ModelsPage")),
});

const model = createRoute({
  getParentRoute: () => root,
  path: "/models/$name",
  component: lazyRouteComponent(() => import("../pages/models/ModelPage")),
});

const compareVersions = createRoute({
  getParentRoute: () => root,
  path: "/models/$name/compare",
  validateSearch: readCompareVersionsSearch,
  component: lazyRouteComponent(() => import("../pages/models/CompareVersionsPage")),
});

const modelVersion = createRoute({
  getParentRoute: () => root,
  path: "/models/$name/versions/$version",
  validateSearch: readModelFilesSearch,
  component: lazyRouteComponent(() => import("../pages/models/ModelVersionPage")),
});

const trash = createRoute({
  getParentRoute: () => root,
  path: "/trash",
  component: lazyRouteComponent(() => import("../pages/experiments/TrashPage")),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("../pages/settings/SettingsPage")),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    experiments,
    runs,
    run,
    loggedModel,
    compare,
    models,
    model,
    compareVersions,
    modelVersion,
    trash,
    settings,
  ]),
  history: createHashHistory(),
  defaultPreload: "intent",
  defaultPendingComponent: Loading,
  defaultErrorComponent: PageError,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

/** An address that is upstream's leads to our page; of another it is said that there is nothing. */
function NotFound() {
  const t = useStrings();
  const { history } = useRouter();
  const { pathname, search } = useLocation();
  const own = ownAddress(pathname, search);
  useEffect(() => {
    if (own !== undefined) history.replace(own);
  }, [own, history]);
  if (own !== undefined) return <Loading />;
  return (
    <Empty title={t.common.notFoundTitle}>
      <p>{t.common.notFound}</p>
      <Link to="/experiments">{t.common.toExperiments}</Link>
    </Empty>
  );
}

function PageError({ error, reset }: ErrorComponentProps) {
  const t = useStrings();
  if (error instanceof ApiError) return <Problem error={error} onRetry={reset} />;
  return (
    <Empty title={t.common.errorTitle}>
      <p>{t.common.pageFailed}</p>
      <p className="mono">{String(error)}</p>
      <Button onClick={() => location.reload()}>{t.common.reload}</Button>
    </Empty>
  );
}
