import { defaultClientConditions, defineConfig } from 'vite';

const server = process.env.WEIR_URL ?? 'http://localhost:8800';

export default defineConfig({
  // The client package is compiled from its source, so that one build step is enough.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  build: {
    target: 'es2022',
    // A data: URL would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
    },
  },
});
