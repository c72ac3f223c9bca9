import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";

export default defineConfig(
  globalIgnores(["src/api/schema.ts", "node_modules"]),
  js.configs.recommended,
  typescript.configs.recommendedTypeChecked,
  hooks.configs.flat.recommended,
  a11y.flatConfigs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Handlers of events may be asynchronous; what they ask of the server is awaited or caught by themselves.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "@typescript-eslint/no-floating-promises": "off",
      // The names of answers' fields are the wire's.
      "@typescript-eslint/only-throw-error": "off",
      // These are about the React Compiler, which is not used here.
      "react-hooks/incompatible-library": "off",
      "react-hooks/preserve-manual-memoization": "off",
      // A dialog or a field that the reader has just asked for takes the focus.
      "jsx-a11y/no-autofocus": "off",
      // Rows and cells of a grid are reached by its own keys.
      "jsx-a11y/no-noninteractive-tabindex": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Text is never put in as HTML." },
      ],
    },
  },
  { files: ["*.js"], extends: [typescript.configs.disableTypeChecked] },
);
