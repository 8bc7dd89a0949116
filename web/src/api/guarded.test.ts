import { beforeEach, expect, it, vi } from "vitest";
import { sessionState, signedIn, signedOut } from "../session/session";
import { guarded } from "./guarded";

const SESSION = { session_id: "s", user_id: "u", role: "trader", csrf_token: "old", authenticated_at: null };
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const post = () => new Request("http://localhost/api/v1/orders", { method: "POST", body: "{}" });

let sent: string[];

/** A server that answers in turn, and what it was sent. */
function server(...answers: (() => Response)[]) {
  sent = [];
  return guarded(async (request) => {
    sent.push(`${request.method} ${new URL(request.url).pathname} ${request.headers.get("X-CSRF-Token")}`);
    const next = answers.shift();
    if (next === undefined) throw new Error("nothing more was to be asked");
    return next();
  });
}

beforeEach(() => {
  vi.stubGlobal("location", { origin: "http://localhost" });
  signedIn(SESSION);
});

it("sends the token with changes alone", async () => {
  const ask = server(() => json({}), () => json({}));
  await ask(post());
  await ask(new Request("http://localhost/api/v1/orders"));
  expect(sent).toEqual(["POST /api/v1/orders old", "GET /api/v1/orders null"]);
});

it("goes on with the session and repeats what was asked, body and all", async () => {
  const ask = server(() => json({}, 401), () => json({ ...SESSION, csrf_token: "new" }), () => json({ done: true }));
  expect(await (await ask(post())).json()).toEqual({ done: true });
  expect(sent).toEqual(["POST /api/v1/orders old", "POST /api/v1/session/refresh null", "POST /api/v1/orders new"]);
});

it("exchanges the refresh token once for all who wait", async () => {
  const ask = server(
    () => json({}, 401),
    () => json({}, 401),
    () => json({ ...SESSION, csrf_token: "new" }),
    () => json({}),
    () => json({}),
  );
  await Promise.all([ask(post()), ask(post())]);
  expect(sent.filter((line) => line.includes("refresh"))).toHaveLength(1);
});

it("says that the session has ended where it cannot go on, and keeps whose it was", async () => {
  const ask = server(() => json({}, 401), () => json({}, 401));
  expect((await ask(post())).status).toBe(401);
  expect(sessionState()).toEqual({ kind: "expired", session: SESSION });
});

it("asks for the token anew after the server was started again", async () => {
  const ask = server(() => json({ code: "CSRF_TOKEN" }, 403), () => json({ ...SESSION, csrf_token: "new" }), () => json({}));
  await ask(post());
  expect(sent[2]).toBe("POST /api/v1/orders new");
});

it("leaves other refusals alone, and a wrong password", async () => {
  expect((await server(() => json({ code: "AUTH_SCOPE" }, 403))(post())).status).toBe(403);
  signedOut();
  const ask = server(() => json({ code: "LOGIN_FAILED" }, 401));
  expect((await ask(new Request("http://localhost/api/v1/session", { method: "POST" }))).status).toBe(401);
  expect(sessionState().kind).toBe("out");
});

it("repeats what needed a proof once that was given, and leaves it refused where it was not", async () => {
  const needs = () => json({ code: "AUTH_STEP_UP" }, 403);
  const answers = [needs(), json({}), needs()];
  const given = [true, false];
  const ask = guarded(
    () => Promise.resolve(answers.shift() ?? json({}, 500)),
    () => Promise.resolve(given.shift() ?? false),
  );
  expect((await ask(post())).status).toBe(200);
  expect((await ask(post())).status).toBe(403);
});
