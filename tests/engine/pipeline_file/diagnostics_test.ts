import { assertEquals } from "@std/assert";
import {
  excerptOf,
  PipelineFileError,
  renderDiagnostics,
} from "../../../engine/pipeline_file/diagnostics.ts";
import { OptionsError } from "../../../engine/errors.ts";

const DIAGNOSTIC = { file: "a.yaml", line: 3, column: 5, message: "Cannot be" };

Deno.test("excerptOf() shows the line of the offset, without its end", () => {
  assertEquals(excerptOf("ab\r\ncd\r\nef", 5, []), { text: "cd", caret: 1 });
  assertEquals(excerptOf("ab", 2, []), { text: "ab", caret: 2 });
  assertEquals(excerptOf("ab\n\ncd", 3, []), { text: "", caret: 0 });
});

Deno.test("excerptOf() puts the caret at the start of a secret it points into", () => {
  assertEquals(excerptOf("key: secret, b", 8, [[5, 11]]), { text: "key: ***, b", caret: 5 });
});

Deno.test("excerptOf() hides what began on an earlier line and ends on a later one", () => {
  assertEquals(excerptOf("a: |\n s1\n s2\n s3\nb", 10, [[3, 17]]), { text: "***", caret: 0 });
});

Deno.test("excerptOf() shows the part of a long line that the caret is in", () => {
  const { text, caret } = excerptOf(`${"a".repeat(500)}X${"b".repeat(500)}`, 500, []);
  assertEquals(text, `…${"a".repeat(80)}X${"b".repeat(79)}…`);
  assertEquals(text[caret], "X");
  assertEquals(excerptOf(`X${"b".repeat(500)}`, 0, []), { text: `X${"b".repeat(159)}…`, caret: 0 });
});

Deno.test("renderDiagnostics() keeps the caret below its place after a tab", () => {
  const shown = renderDiagnostics([{ ...DIAGNOSTIC, excerpt: { text: "\ta😀: b", caret: 6 } }]);
  assertEquals(shown.split("\n").slice(1, 3), ["  3 | \ta😀: b", "    | \t    ^"]);
});

Deno.test("renderDiagnostics() lets no file control the terminal", () => {
  const shown = renderDiagnostics([{
    ...DIAGNOSTIC,
    message: "a\x1b[2Jb",
    hint: "c\rd",
    excerpt: { text: "e\x1b]0;f\x07g", caret: 0 },
  }]);
  assertEquals(shown, "a.yaml:3:5: a�[2Jb\n  3 | e�]0;f�g\n    | ^\n  hint: c�d\n");
});

Deno.test("renderDiagnostics() uses colours only when asked to", () => {
  assertEquals(renderDiagnostics([DIAGNOSTIC]), "a.yaml:3:5: Cannot be\n");
  assertEquals(
    renderDiagnostics([DIAGNOSTIC], { color: true }),
    "a.yaml:3:5: \x1b[1mCannot be\x1b[0m\n",
  );
});

Deno.test("PipelineFileError is an OptionsError that says the first mistake and how many follow", () => {
  const error = new PipelineFileError([{ ...DIAGNOSTIC, hint: "Do" }, DIAGNOSTIC, DIAGNOSTIC]);
  assertEquals(error instanceof OptionsError, true);
  assertEquals(error.name, "PipelineFileError");
  assertEquals(error.message, "a.yaml:3:5: Cannot be (and 2 more)");
  assertEquals(error.hint, "Do");
  assertEquals(error.diagnostics.length, 3);
});
