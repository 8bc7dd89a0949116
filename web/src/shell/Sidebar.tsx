import { Link, useRouter } from "@tanstack/react-router";
import { placesOf } from "./navigation";

export function Sidebar() {
  const { routesByPath } = useRouter();
  return (
    <nav className="shell-sidebar" aria-label="Pages">
      {placesOf(routesByPath).map((group) => (
        <div key={group.label}>
          <div className="shell-group">{group.label}</div>
          <ul className="shell-nav">
            {group.places.map(({ to, label, icon: Icon, isOnPhone }) => (
              <li key={to} className={isOnPhone ? "is-on-phone" : ""}>
                <Link to={to} className="shell-link" title={label} activeOptions={{ exact: to === "/" }}>
                  <Icon size={16} aria-hidden />
                  <span>{label}</span>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
