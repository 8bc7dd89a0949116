import { useMantineColorScheme } from "@mantine/core";
import { useState } from "react";
import { Choice } from "../notices/Choice";
import "../notices/notices.css";
import { Pane } from "../panes/Pane";
import { DENSITY_LABEL, PRESET_LABEL, SCHEME_LABEL, SCHEMES } from "../theme/labels";
import { applyPreferences, DENSITIES, type Preferences, PRESETS, storedPreferences } from "../theme/preferences";

/** Theme, colours of direction and height of rows; each applies at once, in this browser. */
export function Look() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [chosen, choose] = useState(storedPreferences);
  const change = (next: Preferences) => {
    applyPreferences(next);
    choose(next);
  };
  return (
    <Pane title="Look" columns={6} facts="of this browser">
      <div className="form-stack">
        <Choice
          label="Theme"
          isLabelled
          of={SCHEMES.map((one) => [one, SCHEME_LABEL[one]])}
          value={colorScheme}
          onChange={(next) => setColorScheme(SCHEMES.find((one) => one === next) ?? "auto")}
        />
        <Choice
          label="Colours of direction"
          isLabelled
          of={PRESETS.map((one) => [one, PRESET_LABEL[one]])}
          value={chosen.preset}
          onChange={(next) => change({ ...chosen, preset: PRESETS.find((one) => one === next) ?? "default" })}
        />
        <Choice
          label="Tables"
          isLabelled
          of={DENSITIES.map((one) => [one, DENSITY_LABEL[one]])}
          value={chosen.density}
          onChange={(next) => change({ ...chosen, density: DENSITIES.find((one) => one === next) ?? "compact" })}
        />
        <p className="dim" style={{ margin: 0 }}>
          <span className="up">▲ Buy</span> &nbsp; <span className="down">▼ Sell</span>
        </p>
      </div>
    </Pane>
  );
}
