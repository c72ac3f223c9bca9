// Where a commit can be looked at, from the address of its repository as git knows it.

const SCP_FORM = /^(?:[\w.-]+@)([\w.-]+):(?!\/\/)(.+)$/;
const URL_FORM = /^(?:https?|ssh|git):\/\/(?:[^@/]+@)?([\w.-]+)(?::\d+)?\/(.+)$/;

/** The web address of a commit, or undefined where the repository's address is none that is served on the web. */
export function commitLink(repositoryUrl: string | undefined, commit: string | undefined): string | undefined {
  if (!repositoryUrl || !commit || !/^[0-9a-f]{7,64}$/i.test(commit)) return undefined;
  const match = URL_FORM.exec(repositoryUrl) ?? SCP_FORM.exec(repositoryUrl);
  if (match === null) return undefined;
  const host = match[1]!;
  const path = match[2]!.replace(/\/+$/, "").replace(/\.git$/, "");
  if (host.endsWith("bitbucket.org")) return `https://${host}/${path}/commits/${commit}`;
  if (host === "ssh.dev.azure.com") {
    // v3/organization/project/repository
    const [, organization, project, repository] = path.split("/");
    return `https://dev.azure.com/${organization}/${project}/_git/${repository}/commit/${commit}`;
  }
  if (host === "gitlab.com" || host.startsWith("gitlab.")) return `https://${host}/${path}/-/commit/${commit}`;
  return `https://${host}/${path}/commit/${commit}`;
}
