/* global document, location, Worker */
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import 'graphiql/style.css';
import { createClient } from 'graphql-ws/client';
import { createElement as h } from 'react';
import { createRoot } from 'react-dom/client';
import { exampleGroups } from '../examples/examples.ts';
import { Answers } from '../examples/placeholders.ts';
import { examplesPane } from './examples-pane.js';
import { withFittingOperation } from '../fitting-operation.ts';
import { subscriptionAsked } from '../subscription-asked.ts';
import { PrepareEditors } from './prepare-editors.js';
import './playground.css';

// The editors' language services, as files of this host: the page's policy allows nothing else.
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => {
    const name = ['json', 'graphql'].includes(label) ? label : 'editor';
    return new Worker(new URL(`${name}.worker.js`, import.meta.url), { type: 'module' });
  },
};

const answers = new Answers();
// Connects when a subscription is run, and only then.
const wsClient = createClient({ url: location.href.replace(/^http/, 'ws').replace(/[?#].*$/, '') });
const send = createGraphiQLFetcher({ url: location.pathname, wsClient, enableIncrementalDelivery: false });

/** Sends the request; what it answers may be a later example's variable. */
async function fetcher(request, options) {
  const fitting = withFittingOperation(request);
  const live = subscriptionAsked(fitting);
  if (live) return send(live.request, { ...options, documentAST: live.documentAST });
  const answer = await send(fitting, options);
  if (request.operationName !== 'IntrospectionQuery') answers.learn(answer);
  return answer;
}

const examples = examplesPane(exampleGroups, answers);
const [welcome] = exampleGroups[0].examples;

createRoot(document.getElementById('playground')).render(
  h(
    GraphiQL,
    {
      fetcher,
      plugins: [examples, HISTORY_PLUGIN],
      visiblePlugin: examples,
      defaultQuery: '',
      defaultEditorToolsVisibility: 'variables',
    },
    h(GraphiQL.Logo, null, 'scopestate', h(PrepareEditors, { answers, welcome })),
  ),
);
