import type { JSX } from "preact";
import type { App } from "../app";
import { RecoveryBar } from "../session/recovery_bar";
import { Banner } from "./banner";
import { EndedAside, LifeNotices, Suspended } from "./life_notices";
import { Notice } from "./notice";

/** The one place below the header for what is the case: connection, life of the session, words of the administrator. */
export function Notices({ app }: { readonly app: App }): JSX.Element {
  const link = app.link.link.value;
  const isSuspended = link.kind === "ended" && link.session.state === "suspended" && !app.choosesStart.value;
  return (
    <div class="notices">
      <Banner app={app} />
      <RecoveryBar app={app} />
      {isSuspended ? <Suspended app={app} session={link.session} problem={link.problem} /> : null}
      {link.kind === "ended" && app.overlayAside.value ? <EndedAside app={app} session={link.session} /> : null}
      {link.kind === "live" ? <LifeNotices app={app} /> : null}
      {app.notifications.shown.value.map(({ id, message }) => (
        <Notice key={id} id="notification" role="status" dismiss={() => app.notifications.dismiss(id)}>
          <span class="notice-message">{message}</span>
        </Notice>
      ))}
    </div>
  );
}
