// What is done to experiments; the lists are read again afterwards.
import { useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { KeyValue } from "../../components/Tags";

export function useExperimentChanges() {
  const queries = useQueryClient();
  const reread = () =>
    Promise.all(
      ["experiments", "experiment", "experiment-summaries", "trash"].map((key) =>
        queries.invalidateQueries({ queryKey: [key] }),
      ),
    );
  const forAll = async (experimentIds: string[], change: (experimentId: string) => Promise<unknown>) => {
    try {
      for (const experimentId of experimentIds) await change(experimentId);
    } finally {
      await reread();
    }
  };
  return {
    create: async (name: string, artifactLocation: string | undefined, tags: KeyValue[]): Promise<string> => {
      const body = { name, artifact_location: artifactLocation, tags };
      const { experiment_id } = await ask(api.POST("/api/2.0/mlflow/experiments/create", { body }));
      await reread();
      return experiment_id;
    },
    rename: async (experimentId: string, newName: string) => {
      const body = { experiment_id: experimentId, new_name: newName };
      await ask(api.POST("/api/2.0/mlflow/experiments/update", { body }));
      await reread();
    },
    delete: (experimentIds: string[]) =>
      forAll(experimentIds, (experiment_id) =>
        ask(api.POST("/api/2.0/mlflow/experiments/delete", { body: { experiment_id } })),
      ),
    restore: (experimentIds: string[]) =>
      forAll(experimentIds, (experiment_id) =>
        ask(api.POST("/api/2.0/mlflow/experiments/restore", { body: { experiment_id } })),
      ),
  };
}
