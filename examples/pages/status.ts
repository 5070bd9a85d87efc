/**
 * The page of the status example, for browsers of today: charts in SVG, drawn anew for each sample.
 *
 * @module
 */

const style = `
:root {
  --page: #f3f6f8; --card: #fff; --line: #e2e9ee; --ink: #1d2733; --soft: #66788a; --good: #2d9d6b; --bad: #d0533b;
  --draft75: #8e5bb5; --draft76: #e08a2c; --hybi-07: #4fae8c; --hybi-08: #17788f; --rfc6455: #3576c4;
  --in: #3576c4; --out: #e08a2c;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #101a21; --card: #18252e; --line: #263742; --ink: #e4ecf1; --soft: #8fa3b1; --good: #4fc68b; --bad: #ef7b63;
    --draft75: #b48bd4; --draft76: #f0a44f; --hybi-07: #74c9aa; --hybi-08: #41a5bd; --rfc6455: #6aa3e6; --in: #6aa3e6; --out: #f0a44f; }
}
* { box-sizing: border-box; margin: 0; }
body { padding: 20px; background: var(--page); color: var(--ink); font: 14px/1.4 "Inter", "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
main { display: grid; grid-template-columns: repeat(10, 1fr); gap: 14px; max-width: 1080px; margin: 0 auto; }
header { grid-column: span 10; display: flex; align-items: baseline; gap: 14px; }
h1 { font-size: 20px; }
#state, #watching { color: var(--soft); }
#state::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 7px; border-radius: 4px; background: var(--bad); }
#state.open::before { background: var(--good); }
section { padding: 14px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
h2 { font-size: 12px; font-weight: 600; color: var(--soft); }
.tile { grid-column: span 2; }
.tile b { display: block; margin-top: 2px; font-size: 26px; line-height: 1.25; font-weight: 650; }
.tile small { color: var(--soft); font-size: 12px; }
.tile.old b { color: var(--draft76); }
.wide { grid-column: span 6; }
.narrow { grid-column: span 4; }
svg { display: block; width: 100%; height: 190px; margin-top: 8px; overflow: visible; }
svg text { fill: var(--soft); font-size: 11px; }
svg line { stroke: var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 8px; font-size: 12px; color: var(--soft); }
.legend i { display: inline-block; width: 9px; height: 9px; margin-right: 5px; border-radius: 2px; }
.legend b { color: var(--ink); font-weight: 600; }
table { width: 100%; margin-top: 8px; border-collapse: collapse; }
td { padding: 3px 0; white-space: nowrap; }
td:nth-child(2) { width: 55%; padding: 3px 10px; }
td:nth-child(3) { text-align: right; font-weight: 600; }
td i { display: block; height: 10px; min-width: 2px; border-radius: 3px; background: var(--rfc6455); }
.refused i { background: var(--bad); }
.none { padding-top: 14px; color: var(--soft); }
@media (max-width: 760px) { .tile { grid-column: span 5; } .wide, .narrow { grid-column: span 10; } }
`;

const script = `
const VERSIONS = ["draft75", "draft76", "hybi-07", "hybi-08", "rfc6455"];
const LABELS = { rfc6455: "RFC 6455" };
const SPAN = 120;
const WIDTH = 560, HEIGHT = 190, LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 20;
let samples = [];
let position;

const find = (id) => document.getElementById(id);

function format(value) {
  for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (value >= limit) {
      const scaled = value / (limit === 1e4 ? 1e3 : limit);
      return scaled.toFixed(scaled >= 100 ? 0 : 1) + unit;
    }
  }
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

/** How much a counter grew per second, at each sample. */
function rates(counter) {
  return samples.map((sample, index) => {
    const before = samples[index - 1];
    if (before === undefined) return 0;
    return (counter(sample.stats) - counter(before.stats)) / ((sample.time - before.time) / 1000);
  });
}

/** A round number at or above a value, and such that its half is round as well. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((step) => step * power).find((round) => round >= value) ?? value;
}

const x = (index) => WIDTH - RIGHT - (samples.length - 1 - index) / (SPAN - 1) * (WIDTH - LEFT - RIGHT);
const y = (value, top) => HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
const path = (values, top) => values.map((value, index) => x(index).toFixed(1) + "," + y(value, top).toFixed(1)).join("L");

function frame(top) {
  const ticks = [0, top / 2, top].map((value) =>
    '<line x1="' + LEFT + '" x2="' + (WIDTH - RIGHT) + '" y1="' + y(value, top) + '" y2="' + y(value, top) + '"/>' +
    '<text x="' + (LEFT - 8) + '" y="' + (y(value, top) + 4) + '" text-anchor="end">' + format(value) + "</text>").join("");
  const seconds = samples.length < 2 ? 1 : (samples.at(-1).time - samples[0].time) / (samples.length - 1) / 1000;
  const ago = seconds * (SPAN - 1);
  const start = ago >= 90 ? Math.round(ago / 60) + " min ago" : Math.round(ago) + " s ago";
  return ticks + '<text x="' + LEFT + '" y="' + HEIGHT + '">' + start + "</text>" +
    '<text x="' + (WIDTH - RIGHT) + '" y="' + HEIGHT + '" text-anchor="end">now</text>';
}

function areas(series, top) {
  let below = samples.map(() => 0);
  return series.map(({ name, values }) => {
    const above = values.map((value, index) => value + below[index]);
    const back = path(below, top).split("L").reverse().join("L");
    below = above;
    return '<path d="M' + path(above, top) + "L" + back + 'Z" fill="var(--' + name + ')" fill-opacity=".85" stroke="var(--card)" stroke-width="1"/>';
  }).join("");
}

function lines(series, top) {
  return series.map(({ name, values }) =>
    '<path d="M' + path(values, top) + '" fill="none" stroke="var(--' + name + ')" stroke-width="' + (name === "in" ? 5 : 1.75) + '" stroke-opacity="' + (name === "in" ? .4 : 1) + '" stroke-linejoin="round"/>').join("");
}

function legend(id, entries) {
  find(id).innerHTML = entries.map(({ name, label, value }) =>
    '<span><i style="background:var(--' + name + ')"></i>' + label + " <b>" + format(value) + "</b></span>").join("");
}

function drawConnections() {
  const series = VERSIONS.map((name) => ({ name, values: samples.map(({ stats }) => stats.byVersion[name].open) }));
  const top = ceiling(Math.max(...samples.map(({ stats }) => stats.connections.open)));
  find("connections").innerHTML = frame(top) + areas(series, top);
  legend("versions", series.map(({ name, values }) => ({ name, label: LABELS[name] ?? name, value: values.at(-1) })).reverse());
}

function drawMessages(into, outof) {
  const series = [{ name: "in", values: into }, { name: "out", values: outof }];
  const top = ceiling(Math.max(...into, ...outof));
  find("messages").innerHTML = frame(top) + lines(series, top);
  legend("directions", series.map(({ name, values }) => ({ name, label: name, value: values.at(-1) })));
}

function bars(id, counts, none) {
  const rows = Object.entries(counts).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]).slice(0, 6);
  const most = Math.max(...rows.map(([, count]) => count));
  find(id).innerHTML = rows.length === 0 ? '<p class="none">' + none + "</p>" : "<table>" + rows.map(([name, count]) =>
    "<tr><td>" + name + '</td><td><i style="width:' + count / most * 100 + '%"></i></td><td>' + format(count) + "</td></tr>").join("") + "</table>";
}

function tile(id, value, note) {
  find(id).querySelector("b").textContent = value;
  find(id).querySelector("small").textContent = note;
}

function draw() {
  const { stats } = samples.at(-1);
  const { connections, byVersion, traffic, refused, closed } = stats;
  const [into, outof] = [rates((stats) => stats.traffic.messagesIn), rates((stats) => stats.traffic.messagesOut)];
  const bytes = rates((stats) => stats.traffic.bytesIn + stats.traffic.bytesOut);
  const share = connections.open === 0 ? 0 : byVersion.draft76.open / connections.open * 100;
  const all = Object.values(refused).reduce((sum, count) => sum + count, 0);
  tile("open", format(connections.open), format(connections.total) + " so far");
  tile("old", format(byVersion.draft76.open), share.toFixed(share < 10 ? 1 : 0) + " % of those open");
  tile("rate", format(into.at(-1) + outof.at(-1)) + "/s", format(traffic.messagesIn + traffic.messagesOut) + " so far");
  tile("bytes", format(bytes.at(-1)) + "B/s", format(traffic.bytesIn + traffic.bytesOut) + "B so far");
  tile("refusals", format(all), "of " + format(all + connections.total) + " handshakes");
  drawConnections();
  drawMessages(into, outof);
  bars("reasons", refused, "Nobody was refused.");
  bars("codes", closed, "No connection has ended.");
}

/** Takes new samples, all that are kept (\`anew\`), or who watches. */
function receive({ watching, anew, samples: arrived, position: last }) {
  if (watching) return showWatching(watching);
  const until = arrived.at(-1)?.time ?? 0;
  // A new one may have arrived before those that are kept.
  const newer = anew ? samples.filter(({ time }) => time > until) : [];
  samples = [...anew ? [] : samples, ...arrived, ...newer].slice(-SPAN);
  if (newer.length === 0) position = last;
  if (samples.length > 0) draw();
}

function showWatching(pages) {
  find("watching").textContent = "watched by " + pages.length + (pages.length === 1 ? " page" : " pages");
}

function connect() {
  const url = new URL("/status", location.href.replace("http", "ws"));
  // The server sends what was missed after this position.
  if (position) url.search = new URLSearchParams(position);
  const socket = new WebSocket(url);
  socket.onopen = () => { find("state").className = "open"; find("state").textContent = "live"; };
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = () => {
    find("state").className = "";
    find("state").textContent = "not connected";
    setTimeout(connect, 1000);
  };
}
connect();
`;

const tiles: readonly (readonly [id: string, title: string, extra?: string])[] = [
  ["open", "Open connections"],
  ["old", "Left on draft76", "old"],
  ["rate", "Messages"],
  ["bytes", "On the wire"],
  ["refusals", "Refused"],
];

/** The page. */
export const statusPage: string = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Status</title>
<style>${style}</style>
</head>
<body>
<main>
<header><h1>Status</h1><span id="state">connecting</span> <span id="watching"></span></header>
${
  tiles.map(([id, title, extra = ""]) =>
    `<section class="tile ${extra}" id="${id}"><h2>${title}</h2><b></b><small></small></section>`
  ).join("\n")
}
<section class="wide"><h2>Connections by version</h2><svg id="connections" viewBox="0 0 560 190"></svg><div class="legend" id="versions"></div></section>
<section class="narrow refused"><h2>Refused handshakes by reason</h2><div id="reasons"></div></section>
<section class="wide"><h2>Messages per second</h2><svg id="messages" viewBox="0 0 560 190"></svg><div class="legend" id="directions"></div></section>
<section class="narrow"><h2>Ended connections by close code</h2><div id="codes"></div></section>
</main>
<script>${script}</script>
</body>
</html>
`;
