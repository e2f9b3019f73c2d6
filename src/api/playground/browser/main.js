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
import { isWorthRetrying, wantsToken, withAdvice } from '../token-advice.ts';
import './playground.css';

// The editors' language services, as files of this host: the page's policy allows nothing else.
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => {
    const name = ['json', 'graphql'].includes(label) ? label : 'editor';
    return new Worker(new URL(`${name}.worker.js`, import.meta.url), { type: 'module' });
  },
};

const answers = new Answers();
const toServer = { url: location.pathname, enableIncrementalDelivery: false };
const send = createGraphiQLFetcher(toServer);
const wsUrl = location.href.replace(/^http/, 'ws').replace(/[?#].*$/, '');

/** A connection of its own, with the headers of now: a browser can't set any, so they are sent as its first message. */
function subscribe({ request, documentAST }, options) {
  const wsClient = createClient({
    url: wsUrl,
    connectionParams: options?.headers,
    shouldRetry: isWorthRetrying,
  });
  return createGraphiQLFetcher({ ...toServer, wsClient })(request, { ...options, documentAST });
}

/** Sends the request; what it answers may be a later example's variable. */
async function fetcher(request, options) {
  const fitting = withFittingOperation(request);
  const live = subscriptionAsked(fitting);
  if (live) return subscribe(live, options);
  const answer = await send(fitting, options);
  if (wantsToken(answer)) return withAdvice(answer);
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
