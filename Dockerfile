# `npm run check:container` follows these lines without Docker: keep to the instructions that it knows.

# Build: everything that npm installs, then only what production needs.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has its own Node: the one that npm brings for older machines would only make it larger.
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:26-slim
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json schema.graphql LICENSE ./
# The only place that is written to: the embedded PostgreSQL, where no DATABASE_URL is given.
RUN mkdir /data && chown node:node /data
VOLUME /data
# Others can reach it there, so callers need tokens: scopestate token create.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 SCOPESTATE_AUTH=token SCOPESTATE_DATA_DIR=/data
USER node
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell between: signals reach the server.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
