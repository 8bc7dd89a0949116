import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import { SunMoon } from "lucide-react";
import { useState } from "react";
import { applyPreferences, DENSITIES, type Preferences, PRESETS, type Preset, storedPreferences } from "../theme/preferences";

const SCHEMES = ["dark", "light", "auto"] as const;
const SCHEME_LABEL = { dark: "Dark", light: "Light", auto: "As the system" } as const;
const PRESET_LABEL: Record<Preset, string> = {
  default: "Teal up, vermilion down",
  strong: "Blue up, orange down",
  classic: "Green up, red down",
  "red-up": "Red up, green down",
};
const DENSITY_LABEL = { compact: "Compact rows", comfortable: "Comfortable rows" } as const;

/** Theme, colours of direction and height of rows; each applies at once. */
export function LookMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [chosen, choose] = useState(storedPreferences);
  const change = (next: Preferences) => {
    applyPreferences(next);
    choose(next);
  };
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label="Look">
          <SunMoon size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Theme</Menu.Label>
        <Choice values={SCHEMES} labels={SCHEME_LABEL} value={colorScheme} onChange={setColorScheme} />
        <Menu.Divider />
        <Menu.Label>Colours of direction</Menu.Label>
        <Choice
          values={PRESETS}
          labels={PRESET_LABEL}
          value={chosen.preset}
          onChange={(preset) => change({ ...chosen, preset })}
        />
        <Menu.Divider />
        <Menu.Label>Tables</Menu.Label>
        <Choice
          values={DENSITIES}
          labels={DENSITY_LABEL}
          value={chosen.density}
          onChange={(density) => change({ ...chosen, density })}
        />
      </Menu.Dropdown>
    </Menu>
  );
}

interface ChoiceProps<V extends string> {
  values: readonly V[];
  labels: Record<V, string>;
  value: V;
  onChange: (value: V) => void;
}

function Choice<V extends string>({ values, labels, value, onChange }: ChoiceProps<V>) {
  return (
    <Menu.RadioGroup value={value} onChange={(next) => onChange(next as V)}>
      {values.map((one) => (
        <Menu.RadioItem key={one} value={one}>
          {labels[one]}
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}
