import type en from "../en/runActions";

const number = (count: number) => count.toLocaleString("es");
const runs = (count: number) => (count === 1 ? "1 ejecución" : `${number(count)} ejecuciones`);

const runActions: typeof en = {
  runs,
  tag: "Etiquetar…",
  removeTag: "Quitar etiqueta…",
  tagTitle: (count: number) => `Etiquetar ${runs(count)}`,
  tagHelp: "Una ejecución que ya tiene una etiqueta con esta clave recibe el valor nuevo.",
  setTag: "Poner la etiqueta",
  removeTagTitle: (count: number) => `Quitar una etiqueta de ${runs(count)}`,
  removeTagButton: "Quitar la etiqueta",
  tagOption: (key: string, count: number, total: number) => `${key} (${number(count)} de ${number(total)})`,
  noTagsThere: "Ninguna de estas ejecuciones tiene una etiqueta que se pueda quitar.",
  purgeTitle: (count: number) => `Eliminar ${runs(count)} para siempre`,
  purgeText: (count: number) =>
    count === 1
      ? "Se perderán la ejecución, todo lo que se registró en ella y sus artefactos. No se puede deshacer."
      : "Se perderán las ejecuciones, todo lo que se registró en ellas y sus artefactos. No se puede deshacer.",
  progress: (done: number, total: number) => `${number(done)} de ${number(total)}`,
  working: {
    delete: (count: number) => `Eliminando ${runs(count)}`,
    restore: (count: number) => `Restaurando ${runs(count)}`,
    tag: (count: number) => `Etiquetando ${runs(count)}`,
    removeTag: (count: number) => `Quitando la etiqueta de ${runs(count)}`,
    purge: (count: number) => `Eliminando ${runs(count)} para siempre`,
    undo: (count: number) => `Deshaciendo en ${runs(count)}`,
  },
  done: {
    delete: (count: number) => (count === 1 ? "1 ejecución eliminada" : `${runs(count)} eliminadas`),
    restore: (count: number) => (count === 1 ? "1 ejecución restaurada" : `${runs(count)} restauradas`),
    tag: (count: number) => (count === 1 ? "1 ejecución etiquetada" : `${runs(count)} etiquetadas`),
    removeTag: (count: number) => `Etiqueta quitada de ${runs(count)}`,
    purge: (count: number) =>
      count === 1 ? "1 ejecución eliminada para siempre" : `${runs(count)} eliminadas para siempre`,
    undo: (count: number) => `Deshecho en ${runs(count)}`,
  },
  doneOf: {
    delete: (done: number, total: number) => `${number(done)} de ${number(total)} eliminadas`,
    restore: (done: number, total: number) => `${number(done)} de ${number(total)} restauradas`,
    tag: (done: number, total: number) => `${number(done)} de ${number(total)} etiquetadas`,
    removeTag: (done: number, total: number) => `Etiqueta quitada de ${number(done)} de ${number(total)}`,
    purge: (done: number, total: number) => `${number(done)} de ${number(total)} eliminadas para siempre`,
    undo: (done: number, total: number) => `Deshecho en ${number(done)} de ${number(total)}`,
  },
  failed: (count: number, message: string) => `${number(count)} con error: ${message}`,
  stopped: "detenido por usted",

  exportTitle: "Exportar ejecuciones",
  format: "Formato",
  csv: "CSV",
  csvHelp:
    "Para hojas de cálculo y cualquier otra herramienta. Los valores van tal como se registraron; uno que empiece por = puede tomarse por una fórmula.",
  parquet: "Parquet",
  parquetHelp: "Para pandas, Polars o DuckDB: columnas con tipo, números y tiempos completos.",
  exportColumns: "Columnas",
  columnsShown: (count: number) => `Las de la tabla (${number(count)})`,
  columnsAll: (count: number | undefined) => (count === undefined ? "Todas" : `Todas (${number(count)})`),
  exportCount: (count: number) =>
    count === 1
      ? "Coincide 1 ejecución, que se exportará."
      : `Coinciden ${number(count)} ejecuciones, y se exportarán todas.`,
  exportNothing: "No coincide ninguna ejecución, así que no hay nada que exportar.",
  counting: "Contando las ejecuciones…",
  exportButton: "Exportar",
  exportProgress: (done: number, total: number) => `${number(done)} de ${runs(total)} leídas`,
  exportWriting: "Escribiendo el archivo…",
  exportDone: (name: string, count: number) => `${name}: ${runs(count)}`,
  severalExperiments: (count: number) => `${count}-experimentos`,

  views: "Vistas",
  viewChanged: "modificada",
  viewChangedHint: (name: string) => `Ha cambiado desde que se guardó ${name}`,
  noViews: "Aún no hay vistas guardadas",
  saveView: "Guardar esta vista…",
  saveViewTitle: "Guardar esta vista",
  saveViewHelp:
    "El filtro, el orden, las columnas y los gráficos, tal como están. Quien ve este experimento ve sus vistas.",
  viewName: "Nombre",
  replaceView: (name: string) => `Ya existe una vista ${name}. Al guardar se sustituye.`,
  replace: "Sustituir",
  updateView: (name: string) => `Guardar los cambios en ${name}`,
  manageViews: "Renombrar o eliminar vistas…",
  manageViewsTitle: "Vistas de este experimento",
  copyLink: "Copiar un enlace",
  linkCopied: "Enlace copiado",
  viewSaved: (name: string) => `Vista ${name} guardada`,
  viewDeleted: (name: string) => `Vista ${name} eliminada`,
  viewRenamed: (from: string, to: string) => `La vista ${from} ahora se llama ${to}`,
  deleteView: (name: string) => `Eliminar la vista ${name}`,
  renameView: (name: string) => `Cambiar el nombre de la vista ${name}`,
  viewTooLong: (length: number, limit: number) =>
    `Esta vista ocupa ${number(length)} caracteres, y una vista puede tener ${number(limit)}. Muestre menos columnas o gráficos.`,
  viewNameTooLong: (limit: number) => `Un nombre puede tener como máximo ${number(limit)} caracteres.`,
  viewNameTaken: (name: string) => `Ya existe una vista ${name}.`,
  viewBroken: (name: string) => `${name} (no se puede leer)`,

  columnsTitle: "Columnas",
  searchColumns: "Buscar columnas",
  groups: { attributes: "Atributos", metrics: "Métricas", params: "Parámetros", tags: "Etiquetas" },
  groupCount: (shown: number, total: number) => `${number(shown)} de ${number(total)}`,
  allFound: (count: number) => (count === 1 ? "La encontrada" : `Las ${number(count)} encontradas`),
  noneFound: (text: string) => `Ninguna columna tiene «${text}» en su nombre.`,
  openGroup: (name: string) => `Abrir ${name}`,
  closeGroup: (name: string) => `Cerrar ${name}`,
  shownColumns: (count: number) => `Visibles, en este orden (${number(count)})`,
  availableColumns: "Disponibles",
  reorderHelp: "Arrastre una fila, o muévala con Alt y las flechas.",
  moveUp: (name: string) => `Subir ${name}`,
  moveDown: (name: string) => `Bajar ${name}`,
  pinColumn: (name: string) => `Fijar ${name} a la izquierda`,
  hideColumn: (name: string) => `Ocultar ${name}`,
  moved: (name: string, place: number, count: number) => `${name}: puesto ${place} de ${count}`,
  alwaysShown: "Siempre visible",
  hideAll: "Ocultar todas",
  doneButton: "Listo",
};

export default runActions;
