// Reads a list of objects from its standard input, and writes as many lists of what is wrong with them.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// The packages are not beside this file, but where it is told.
const packages = `${process.argv[2]}/node_modules/@kubernetes-models`;
const load = (path) => import(pathToFileURL(`${packages}/${path}/index.js`).href);
const kinds = {
  "monitoring.coreos.com/v1": await load("prometheus-operator/monitoring.coreos.com/v1"),
  "external-secrets.io/v1": await load("external-secrets/external-secrets.io/v1"),
  "cert-manager.io/v1": await load("cert-manager/cert-manager.io/v1"),
};

function complaints(object) {
  const Kind = kinds[object.apiVersion]?.[object.kind];
  if (Kind === undefined) return [`there is no schema of ${object.apiVersion} ${object.kind}`];
  try {
    new Kind(object).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(complaints)));
