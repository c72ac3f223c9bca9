// Where the UI starts.
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./app/queries";
import { router } from "./app/router";
import { applyLanguage } from "./i18n";
import { preferences, startTheme } from "./lib/preferences";
import "./tokens.css";
import "./base.css";

startTheme();
preferences.watch(applyLanguage);

async function start() {
  await applyLanguage();
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

start();
