# Rescind as a container: `docker run -v ./rescind.yaml:/etc/rescind/rescind.yaml rescind`

# Builds, then removes what only building needs.
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev && rm -rf dist/test dist/bench dist/demo dist/.tsbuildinfo

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/deploy/health.mjs ./deploy/health.mjs
# The embedded log lies here; a named volume takes over this owner.
RUN install -d -o node -g node /var/lib/rescind
# Not root; all ports are above 1024.
USER node
# revoker, adapter, enforcer
EXPOSE 8280 18000 8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["node", "deploy/health.mjs"]
# Without a shell in between, so that SIGTERM reaches Rescind and it drains.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["all", "--config", "/etc/rescind/rescind.yaml"]
