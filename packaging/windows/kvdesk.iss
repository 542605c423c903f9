; The installer for Windows, for one person and without administrator's rights.
; packaging/build.py calls Inno Setup 6 with /DBundle=FOLDER /DVersion=X /DIcon=FILE /O=FOLDER.

[Setup]
AppId={{6C1B1D9C-9D0C-4B6B-8E53-5E0A8A0B7C21}
AppName=kvdesk
AppVersion={#Version}
AppPublisher=The kvdesk authors
DefaultDirName={localappdata}\Programs\kvdesk
DefaultGroupName=kvdesk
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
LicenseFile={#Bundle}\LICENSE
OutputBaseFilename=kvdesk-{#Version}-windows-x64
SetupIconFile={#Icon}
UninstallDisplayIcon={app}\kvdesk.exe
Compression=lzma2/normal
SolidCompression=yes
WizardStyle=modern
CloseApplications=yes

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"

[InstallDelete]
; What an earlier version had and this one has not must not stay beside it.
Type: filesandordirs; Name: "{app}\_internal"
Type: filesandordirs; Name: "{app}\torch"
Type: filesandordirs; Name: "{app}\licences"

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\kvdesk"; Filename: "{app}\kvdesk.exe"
Name: "{userdesktop}\kvdesk"; Filename: "{app}\kvdesk.exe"; Tasks: desktopicon

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Run]
Filename: "{app}\kvdesk.exe"; Description: "{cm:LaunchProgram,kvdesk}"; Flags: nowait postinstall skipifsilent

; Models, clips, settings and a PyTorch that was fetched lie elsewhere. Nothing here deletes them.
