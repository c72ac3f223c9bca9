import { describe, expect, it } from "vitest";
import { commitLink } from "./gitLinks";

const commit = "0123456789abcdef0123456789abcdef01234567";

describe("links to commits", () => {
  it.each([
    ["https://github.com/a/b.git", `https://github.com/a/b/commit/${commit}`],
    ["git@github.com:a/b.git", `https://github.com/a/b/commit/${commit}`],
    ["ssh://git@github.example.com:2222/a/b", `https://github.example.com/a/b/commit/${commit}`],
    ["https://token@gitlab.com/group/sub/b.git", `https://gitlab.com/group/sub/b/-/commit/${commit}`],
    ["https://bitbucket.org/a/b", `https://bitbucket.org/a/b/commits/${commit}`],
    ["git@ssh.dev.azure.com:v3/org/project/repo", `https://dev.azure.com/org/project/_git/repo/commit/${commit}`],
    ["https://dev.azure.com/org/project/_git/repo", `https://dev.azure.com/org/project/_git/repo/commit/${commit}`],
  ])("are made of %s", (repository, link) => {
    expect(commitLink(repository, commit)).toBe(link);
  });

  it("are not made of what is no address, or no commit", () => {
    expect(commitLink("/home/ana/code", commit)).toBeUndefined();
    expect(commitLink("javascript:alert(1)", commit)).toBeUndefined();
    expect(commitLink("https://github.com/a/b", "main")).toBeUndefined();
    expect(commitLink(undefined, commit)).toBeUndefined();
  });
});
