import type en from "../en/experiments";

const experiments: typeof en = {
  title: "Experimentos",
  newExperiment: "Experimento nuevo",
  search: "Buscar experimentos",
  searchPlaceholder: "Palabras del nombre, o tags.team = 'vision'",
  sortBy: "Ordenar por",
  sortCreated: "Más nuevos",
  sortUpdated: "Último cambio",
  sortName: "Nombre",
  runs: "Ejecuciones",
  runCount: (count) => count.toLocaleString("es"),
  running: (count) => `${count} en curso`,
  lastActivity: "Última actividad",
  actions: (name) => `Acciones de ${name}`,
  select: (name) => `Seleccionar ${name}`,
  selectAll: "Seleccionar todos",
  selected: (count) => `${count} seleccionados`,
  openTogether: "Abrir juntos",
  information: "Descripción y etiquetas",
  rename: "Cambiar el nombre",
  newName: "Nombre nuevo",
  artifactLocation: "Lugar de los artefactos",
  artifactLocationHelp: "Adónde van los artefactos de sus ejecuciones. Vacío: donde los guarda el servidor.",
  deleted: (name) => `${name} está en la papelera`,
  deletedMany: (count) => `${count} experimentos están en la papelera`,
  noMatch: "Ningún experimento coincide",
  noMatchHint: "Cambie la búsqueda o quítela.",
  clearSearch: "Quitar la búsqueda",
  start: "Registre una primera ejecución",
  startHint: "Aparecerá aquí sola.",
  snippet: "las líneas",
  trashTitle: "Papelera",
  trashHint: "Lo eliminado espera aquí. Restáurelo, o elimínelo para siempre con todos sus artefactos.",
  trashEmpty: "La papelera está vacía",
  trashEmptyHint:
    "Los experimentos y las ejecuciones que elimine esperan aquí hasta que los restaure o los elimine para siempre.",
  deletedExperiments: "Experimentos",
  deletedRuns: "Ejecuciones de experimentos no eliminados",
  deletedAt: "Último cambio",
  experiment: "Experimento",
  emptyTrash: "Vaciar la papelera",
  emptyTrashConfirm: (experiments, runs) =>
    `Se elimina todo esto: ${both(withRuns(experiments), runs > 0 && `${count(runs, "ejecución", "ejecuciones")}${experiments > 0 ? " más" : ""}`)}, con lo que se registró y sus artefactos. No se puede deshacer.`,
  purgeOne: (name) => `Se elimina ${name} con todo lo registrado y sus artefactos. No se puede deshacer.`,
  purgeMany: (experiments, runs) =>
    `Se elimina todo esto: ${both(withRuns(experiments), runs > 0 && count(runs, "ejecución", "ejecuciones"))}, con lo que se registró y sus artefactos. No se puede deshacer.`,
  purged: (experiments, runs) =>
    `Eliminado para siempre: ${count(experiments, "experimento")}, ${count(runs, "ejecución", "ejecuciones")}`,
  keptInTrash: (number) =>
    `Se conserva en la papelera: ${count(number, "elemento")} con la etiqueta keep o de donde procede una versión de modelo`,
  purging: (done, total) => `${done} de ${total} eliminados`,
  restored: (number) => (number === 1 ? "Restaurado" : `${number} restaurados`),
  confirmWord: "eliminar",
};

function withRuns(experiments: number): string | false {
  return experiments > 0 && `${count(experiments, "experimento")} con todas sus ejecuciones`;
}

function both(...parts: (string | false)[]): string {
  return parts.filter(Boolean).join(" y ");
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("es")} ${number === 1 ? one : many}`;
}

export default experiments;
