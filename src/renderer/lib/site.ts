/** The block that a site is in, such as blocks.7; empty outside of any. */
export const blockOf = (site: string): string => /^(.*?\.\d+)\./.exec(site)?.[1] ?? ''

/** A site's name within its block: blocks.7.fc1 is fc1. */
export const shortSite = (site: string, block = blockOf(site)): string => block && site.startsWith(`${block}.`) ? site.slice(block.length + 1) : site
