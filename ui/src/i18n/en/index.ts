import artifacts from "./artifacts";
import charts from "./charts";
import common from "./common";
import compare from "./compare";
import experiments from "./experiments";
import filter from "./filter";
import models from "./models";
import plots from "./plots";
import run from "./run";
import runActions from "./runActions";
import runs from "./runs";
import settings from "./settings";

export default {
  artifacts,
  charts,
  common,
  compare,
  experiments,
  filter,
  models,
  plots,
  run,
  runActions,
  runs,
  settings,
};
