# docker build -t swiftlet . && docker run --privileged -p 8080:8080 -p 8081:8081 -p 8082:8082 -v swiftlet:/var/lib/swiftlet swiftlet
# The container needs the rights to make namespaces and cgroups: --privileged.
FROM debian:12-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends nodejs npm bubblewrap nftables python3 libseccomp2 util-linux ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/swiftlet
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY bin ./bin
COPY src ./src
COPY runtimes ./runtimes
COPY examples ./examples
ENV SWIFTLET_HOME=/var/lib/swiftlet SWIFTLET_HOST=0.0.0.0
VOLUME /var/lib/swiftlet
EXPOSE 8080 8081 8082
ENTRYPOINT ["/opt/swiftlet/bin/swiftlet.js"]
CMD ["up"]
