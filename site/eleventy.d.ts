/** As much of Eleventy as is used here: its package has no types. */
declare module "@11ty/eleventy" {
  export type Configuration = {
    addTemplate(path: string, content: string, data: object): void;
    addPlugin(plugin: unknown, options?: object): void;
    addPassthroughCopy(from: Readonly<Record<string, string>>): void;
    addFilter(name: string, filter: (value: never) => unknown): void;
    addGlobalData(name: string, value: unknown): void;
    amendLibrary(engine: "md", amend: (library: never) => void): void;
    setUseGitIgnore(use: boolean): void;
  };
  export default class Eleventy {
    constructor(
      input: string,
      output: string,
      options: {
        readonly quietMode: boolean;
        readonly configPath: false;
        readonly config: (configuration: Configuration) => void;
      },
    );
    disableLogger(): void;
    write(): Promise<unknown>;
  }
}
declare module "@11ty/eleventy-plugin-syntaxhighlight" {
  const plugin: unknown;
  export default plugin;
}
