/** The whole page. Its addresses are relative: it works behind a proxy that adds a prefix to /graphql too. */
export const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>scopestate playground</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" type="image/svg+xml" href="graphql/playground/icon.svg" />
    <link rel="stylesheet" href="graphql/playground/main.css" />
    <script type="module" src="graphql/playground/main.js"></script>
  </head>
  <body>
    <div id="playground">Loading the playground…</div>
    <noscript>The playground needs JavaScript. The API is here all the same: POST /graphql.</noscript>
  </body>
</html>
`;
