/**
 * The page of the chat example. Its script is ECMAScript 3 and its style needs nothing newer than
 * 2010, for the oldest browser that has a WebSocket; newer ones get rounder corners.
 *
 * @module
 */

const style = `
* { margin: 0; padding: 0; -webkit-box-sizing: border-box; box-sizing: border-box; }
html, body { height: 100%; }
body { font: 15px/1.45 "Helvetica Neue", "Segoe UI", Arial, sans-serif; color: #1d2733; background: #dfe6ec; }
a { color: #0b6e8f; text-decoration: none; }
input, button { font: inherit; }
#app { position: absolute; top: 0; bottom: 0; left: 0; right: 0; max-width: 960px; margin: 0 auto; background: #f7f9fb; overflow: hidden; }
#head { position: absolute; top: 0; left: 0; right: 0; height: 64px; padding: 12px 20px; background: #0b3c4d; color: #fff; }
#head h1 { font-size: 19px; line-height: 22px; font-weight: bold; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
#head h1 span { color: #7fd0e6; font-weight: normal; }
#state { font-size: 13px; line-height: 18px; color: #b5d3dd; }
#state i { display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 4px; background: #e0a83a; }
#state.open i { background: #4fc68b; }
#state.closed i { background: #e0664f; }
#list { position: absolute; top: 64px; bottom: 68px; left: 0; right: 220px; padding: 18px 20px; overflow-y: auto; overflow-x: hidden; }
#side { position: absolute; top: 64px; bottom: 68px; right: 0; width: 220px; padding: 18px; background: #eef2f5; border-left: 1px solid #d9e1e7; overflow-y: auto; }
#side h2 { margin-bottom: 10px; font-size: 12px; letter-spacing: 1px; text-transform: uppercase; color: #6a7b88; }
#people { list-style: none; }
#people li { height: 36px; overflow: hidden; line-height: 28px; white-space: nowrap; text-overflow: ellipsis; }
#people .me { font-weight: bold; }
.face { float: left; width: 28px; height: 28px; margin-right: 10px; border-radius: 14px; color: #fff; font-size: 13px; font-weight: bold; line-height: 28px; text-align: center; }
.row { clear: both; margin-top: 14px; overflow: hidden; }
.row.more { margin-top: 3px; }
.row .face { width: 36px; height: 36px; border-radius: 18px; line-height: 36px; font-size: 15px; }
.row.more .face { height: 1px; visibility: hidden; }
.body { float: left; max-width: 74%; }
.name { margin: 0 0 2px 4px; font-size: 12px; color: #6a7b88; }
.more .name { display: none; }
.text { display: inline-block; padding: 8px 13px; border-radius: 4px 16px 16px 16px; background: #fff; border: 1px solid #e1e8ed; white-space: pre-wrap; word-wrap: break-word; }
.notice { clear: both; padding: 14px 0 0; text-align: center; font-size: 13px; color: #b3402b; }
.mine .face { display: none; }
.mine .body { float: right; text-align: right; }
.mine .name { margin: 0 4px 2px 0; }
.mine .text { border-radius: 16px 4px 16px 16px; background: #0b6e8f; border-color: #0b6e8f; color: #fff; text-align: left; }
#compose { position: absolute; bottom: 0; left: 0; right: 0; height: 68px; padding: 14px 20px; background: #fff; border-top: 1px solid #d9e1e7; }
#text { float: left; width: 80%; height: 40px; padding: 0 16px; border: 1px solid #c3d0d9; border-radius: 20px; background: #f7f9fb; }
#compose button, #enter button { height: 40px; border: 0; border-radius: 20px; background: #0b6e8f; color: #fff; font-weight: bold; cursor: pointer; }
#compose button { float: right; width: 18%; }
input:focus { outline: none; border-color: #0b6e8f; }
button:hover { background: #0a5f7c; }
#enter { position: absolute; top: 64px; bottom: 0; left: 0; right: 0; padding-top: 90px; background: #f7f9fb; text-align: center; }
#enter p { margin-bottom: 18px; color: #4c5d6a; }
#enter input { width: 240px; height: 40px; padding: 0 16px; border: 1px solid #c3d0d9; border-radius: 20px; }
#enter button { width: 100px; margin-left: 8px; }
#problem { margin-top: 14px; color: #b3402b; }
@media (max-width: 620px) { #side { display: none; } #list { right: 0; } #text { width: 72%; } #compose button { width: 25%; } }
`;

const script = `
var socket = null;
var me = "";
var last = "";
var retry = 500;
var key = (Math.random() + "" + Math.random()).replace(/\\D/g, "");
var position = null;
var held = null;
var room = decodeURIComponent(location.pathname.split("/")[2]);

function find(id) { return document.getElementById(id); }

function element(tag, className, text) {
  var made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.appendChild(document.createTextNode(text));
  return made;
}

function empty(parent) {
  while (parent.firstChild) parent.removeChild(parent.firstChild);
}

function face(name) {
  var colours = ["#c2553f", "#a8791a", "#4d8a3c", "#17867c", "#2d72b8", "#6a5bb5", "#a8518f", "#5e6f7c"];
  var sum = 0;
  for (var i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) % 997;
  var made = element("span", "face", name.charAt(0).toUpperCase());
  made.style.background = colours[sum % colours.length];
  return made;
}

function clock(time) {
  var date = new Date(time);
  var minutes = date.getMinutes();
  return date.getHours() + ":" + (minutes < 10 ? "0" : "") + minutes;
}

function show(message) {
  position = message.position;
  var list = find("list");
  var atEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 40;
  var mine = message.name === me;
  var row = element("div", "row" + (mine ? " mine" : "") + (message.name === last ? " more" : ""));
  var body = element("div", "body");
  body.appendChild(element("div", "name", (mine ? "" : message.name + " \\u00b7 ") + clock(message.time)));
  body.appendChild(element("div", "text", message.text));
  row.appendChild(face(message.name));
  row.appendChild(body);
  list.appendChild(row);
  last = message.name;
  if (atEnd || mine) list.scrollTop = list.scrollHeight;
}

/* Something is missing here, or was not sent. */
function notice(text) {
  find("list").appendChild(element("div", "notice", text));
  find("list").scrollTop = find("list").scrollHeight;
  last = "";
}

function showPeople(names) {
  var people = find("people");
  empty(people);
  for (var i = 0; i < names.length; i++) {
    var item = element("li", names[i] === me ? "me" : "");
    item.appendChild(face(names[i]));
    item.appendChild(document.createTextNode(names[i] + (names[i] === me ? " (you)" : "")));
    people.appendChild(item);
  }
  find("count").innerHTML = names.length;
  state("open", names.length === 1 ? "You are alone here" : names.length + " people are here");
}

function state(className, text) {
  var line = find("state");
  line.className = className;
  empty(line);
  line.appendChild(document.createElement("i"));
  line.appendChild(document.createTextNode(text));
}

function welcome(data) {
  me = data.name;
  retry = 500;
  position = data.position;
  if (!data.recovered) {
    last = "";
    empty(find("list"));
    if (data.lost) notice("Earlier messages could not be recovered");
  }
  var messages = data.messages.concat(held);
  held = null;
  for (var i = 0; i < messages.length; i++) show(messages[i]);
  find("list").scrollTop = find("list").scrollHeight;
}

/* The URL of the socket. With the position of the last message, the server sends what was missed. */
function address(name) {
  var scheme = location.protocol === "https:" ? "wss://" : "ws://";
  var query = "?name=" + encodeURIComponent(name) + "&key=" + key;
  if (position) query += "&epoch=" + encodeURIComponent(position.epoch) + "&offset=" + position.offset;
  return scheme + location.host + location.pathname + query;
}

function connect(name) {
  var welcomed = false;
  held = [];
  socket = new WebSocket(address(name));
  state("", "Connecting \\u2026");
  socket.onmessage = function (event) {
    var data = JSON.parse(event.data);
    if (data.type === "welcome") { welcomed = true; enterRoom(); welcome(data); }
    if (data.type === "said") { if (held) held.push(data); else show(data); }
    if (data.type === "gap") notice("Some messages could not be recovered");
    if (data.type === "unsent") notice("This was not sent: " + data.text);
    if (data.type === "here") showPeople(data.names);
  };
  socket.onclose = function () {
    socket = null;
    state("closed", "Not connected; trying again \\u2026");
    if (me === "" && !welcomed) { problem("That did not work. Is the name too long?"); return; }
    setTimeout(function () { connect(me || name); }, retry);
    retry = Math.min(retry * 2, 10000);
  };
}

function enterRoom() {
  find("enter").style.display = "none";
  find("text").focus();
}

function problem(text) {
  empty(find("problem"));
  find("problem").appendChild(document.createTextNode(text));
  state("", "Who are you?");
}

function join(name) {
  name = name.replace(/^\\s+|\\s+$/g, "");
  if (name === "") { problem("A name, please."); return; }
  connect(name);
}

function say(text) {
  if (socket && socket.readyState === 1 && text !== "") socket.send(text);
}

find("enter").onsubmit = function () { join(find("name").value); return false; };
find("compose").onsubmit = function () {
  say(find("text").value);
  find("text").value = "";
  return false;
};
find("room").appendChild(document.createTextNode(room));
document.title = room + " \\u00b7 Chat";
state("", "Who are you?");
find("name").focus();
`;

/** The page, the same for every room: the script finds the room in the URL. */
export const chatPage: string = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chat</title>
<style>${style}</style>
</head>
<body>
<div id="app">
<div id="head"><h1><span>#</span> <b id="room"></b></h1><div id="state"></div></div>
<div id="list"></div>
<div id="side"><h2>Here (<span id="count">0</span>)</h2><ul id="people"></ul></div>
<form id="compose"><input id="text" maxlength="1000" autocomplete="off" placeholder="Say something"><button type="submit">Send</button></form>
<form id="enter"><p>What shall the others call you?</p><input id="name" maxlength="24" autocomplete="off" placeholder="Your name"><button type="submit">Enter</button><div id="problem"></div></form>
</div>
<script>${script}</script>
</body>
</html>
`;
