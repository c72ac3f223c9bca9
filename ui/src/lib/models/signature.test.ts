import { expect, test } from "vitest";
import { signatureOf } from "./signature";

const words = { optional: "optional" };

test("a signature is read from quoted JSON over several lines", () => {
  const file = `artifact_path: model
signature:
  inputs: '[{"type": "double", "name": "tenure", "required": true},
    {"type": "string", "name": "it''s", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]'
  params: '[{"name": "threshold", "type": "double", "default": 0.5, "shape": null}]'
utc_time_created: '2026-11-20'
`;
  const signature = signatureOf(file, words);
  expect([...signature!.inputs]).toEqual([
    ["tenure", "double"],
    ["it's", "string (optional)"],
  ]);
  expect([...signature!.outputs]).toEqual([["[0]", "tensor float64 [-1, 3]"]]);
  expect([...signature!.params]).toEqual([["threshold", "double = 0.5"]]);
});

test("double quotes, folded lines and nested types are read", () => {
  const file =
    'signature:\n  inputs: "[{\\"type\\": \\"array\\", \\"items\\": {\\"type\\": \\"object\\", \\\n' +
    '    \\ \\"properties\\": {\\"a\\": {\\"type\\": \\"long\\"}}}, \\"name\\": \\"x\\"}]"\n  outputs: null\n';
  const signature = signatureOf(file, words);
  expect([...signature!.inputs]).toEqual([["x", "array of { a: long }"]]);
  expect(signature!.outputs.size).toBe(0);
});

test("a file without a signature has none", () => {
  expect(signatureOf("artifact_path: model\n", words)).toBeUndefined();
  expect(signatureOf("signature: null\n", words)).toBeUndefined();
});
